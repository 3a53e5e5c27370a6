// What the microphone hears, written down by the server.
import { getJson } from "./api.js";
import { t } from "./i18n.js";
import { IconButton } from "./icons.js";
import { html, useState } from "./preact.js";
import { notify } from "./store.js";

const canDictate = () => Boolean(navigator.mediaDevices?.getUserMedia && globalThis.MediaRecorder);

// Starts recording; the function that it gives ends the recording and resolves to the words.
async function dictate() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const recorder = new MediaRecorder(stream);
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const ended = new Promise((resolve) => { recorder.onstop = resolve; });
  recorder.start();
  return async () => {
    recorder.stop();
    await ended;
    stream.getTracks().forEach((track) => track.stop());
    const form = new FormData();
    form.append("file", new Blob(parts, { type: recorder.mimeType }), "dictation.webm");
    return (await getJson("stt", { method: "POST", body: form })).text;
  };
}

// The button that starts and ends it.
export function Dictate({ onText }) {
  const [end, setEnd] = useState(null);
  const [busy, setBusy] = useState(false);
  const click = async () => {
    try {
      if (!end) {
        const ending = await dictate();
        setEnd(() => ending);
        return;
      }
      setEnd(null);
      setBusy(true);
      onText(await end());
    } catch (error) { notify(error.name === "NotAllowedError" ? new Error(t("noMicrophone")) : error); }
    setBusy(false);
  };
  if (!canDictate()) return "";
  return html`<${IconButton} icon="microphone" class=${end ? "on recording" : ""} aria-pressed=${Boolean(end)} aria-busy=${busy} disabled=${busy}
    label=${t(busy ? "transcribing" : end ? "stopDictation" : "dictate")} onClick=${click} />`;
}
