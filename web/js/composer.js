// The message box: text, files, pictures, voice.
import { html, useRef, useState } from "../vendor/htm-preact.js";
import { getJson } from "./api.js";
import { t } from "./i18n.js";
import { addFiles, notify, removeFile, send, stop } from "./state.js";

export function Composer({ store }) {
  const [text, setText] = useState("");
  const box = useRef(null);
  const uploading = store.files.some((file) => file.status === "uploading");
  const submit = (event) => {
    event?.preventDefault();
    if (store.running || uploading) return;
    setText("");
    if (box.current) box.current.style.height = "";
    send(text).catch(notify);
  };
  const key = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
  };
  const grow = (event) => {
    setText(event.target.value);
    event.target.style.height = "auto";
    event.target.style.height = `${Math.min(event.target.scrollHeight, 240)}px`;
  };
  const paste = (event) => {
    if (event.clipboardData?.files.length) { event.preventDefault(); addFiles(event.clipboardData.files); }
  };
  const heard = (words) => setText((before) => (before ? `${before} ${words}` : words));
  return html`
    <form class="composer" onSubmit=${submit}>
      ${store.files.length > 0 && html`<ul class="files">${store.files.map((file) => html`<${File} key=${file.key} file=${file} />`)}</ul>`}
      <div class="row">
        <label class="icon file-button" title=${t("attach")}>📎
          <input type="file" multiple aria-label=${t("attach")} onChange=${(e) => { addFiles([...e.target.files]); e.target.value = ""; }} /></label>
        <textarea id="message-box" ref=${box} rows="1" value=${text} placeholder=${t("placeholder")} aria-label=${t("placeholder")}
          onInput=${grow} onKeyDown=${key} onPaste=${paste}></textarea>
        ${store.health?.parts?.speech_to_text?.state !== "missing" && html`<${Dictate} onText=${heard} />`}
        ${store.running
          ? html`<button type="button" class="primary stop" onClick=${stop}>${t("stop")}</button>`
          : html`<button type="submit" class="primary" disabled=${uploading || (!text.trim() && !store.files.some((f) => f.attachment))}>${t("send")}</button>`}
      </div>
    </form>`;
}

function File({ file }) {
  const pages = file.attachment?.pages_total;
  const state = file.status === "failed" ? `${file.error?.message ?? t("failed")} ${file.error?.remedy ?? ""}`
    : pages && file.status === "reading" ? t("pages", { done: file.attachment.pages_done ?? 0, total: pages }) : t(file.status);
  return html`
    <li class="chip ${file.status}">
      <span class="name">${file.name}</span> <small role="status">${state}</small>
      ${file.status === "uploading" && html`<progress max="1" value=${file.progress}></progress>`}
      ${file.status === "reading" && pages && html`<progress max=${pages} value=${file.attachment.pages_done ?? 0}></progress>`}
      <button type="button" class="icon" aria-label=${t("removeFile", { name: file.name })} onClick=${() => removeFile(file.key)}>×</button>
    </li>`;
}

function Dictate({ onText }) {
  const [recorder, setRecorder] = useState(null);
  if (!navigator.mediaDevices?.getUserMedia || !globalThis.MediaRecorder) return "";
  const start = async () => {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      const made = new MediaRecorder(stream);
      const parts = [];
      made.ondataavailable = (event) => parts.push(event.data);
      made.onstop = () => { stream.getTracks().forEach((track) => track.stop()); transcribe(new Blob(parts, { type: made.mimeType }), onText); };
      made.start();
      setRecorder(made);
    } catch (error) { notify(error); }
  };
  const end = () => { recorder.stop(); setRecorder(null); };
  return html`<button type="button" class="icon ${recorder ? "on" : ""}" aria-pressed=${Boolean(recorder)} aria-label=${t(recorder ? "stopDictation" : "dictate")}
    title=${t(recorder ? "stopDictation" : "dictate")} onClick=${recorder ? end : start}>🎤</button>`;
}

async function transcribe(blob, onText) {
  const form = new FormData();
  form.append("file", blob, "dictation.webm");
  try { onText((await getJson("stt", { method: "POST", body: form })).text); } catch (error) { notify(error); }
}
