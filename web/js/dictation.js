// What the microphone hears, written down by the server.
import { getJson } from "./api.js";

export const canDictate = () => Boolean(navigator.mediaDevices?.getUserMedia && globalThis.MediaRecorder);

// Starts recording; the function that it gives ends the recording and resolves to the words.
export async function dictate() {
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
