// The message box: text, files, pictures, voice.
import { html, useEffect, useRef, useState } from "./preact.js";
import { Chips } from "./chips.js";
import { canDictate, dictate } from "./dictation.js";
import { draftOf, keepDraft } from "./drafts.js";
import { FileChip } from "./file_chip.js";
import { addFiles } from "./files.js";
import { t } from "./i18n.js";
import { Icon, IconButton } from "./icons.js";
import { Queued, send } from "./queue.js";
import { focusBox } from "./shortcuts.js";
import { notify, openPanel } from "./store.js";
import { TemporaryNote } from "./temporary.js";
import { isUsable, stop } from "./turns.js";

const MOST_PX = 240;
const TOUCH = matchMedia("(pointer: coarse)");

export function Composer({ store }) {
  const { sessionId } = store;
  const [text, setText] = useState(() => draftOf(sessionId).text);
  const box = useRef(null);
  useEffect(() => setText(draftOf(sessionId).text), [sessionId]);
  // On a touch screen the keyboard would cover the page.
  useEffect(() => { if (!TOUCH.matches) focusBox(); }, []);
  const write = (value) => {
    setText(value);
    keepDraft(sessionId, store.messages.length > 0, { text: value });
  };
  const uploading = store.files.some((file) => file.status === "uploading");
  const later = store.running || store.loading;
  const ready = !uploading && Boolean(text.trim() || store.files.some(isUsable));
  useEffect(() => { box.current.style.height = "auto"; box.current.style.height = `${Math.min(box.current.scrollHeight, MOST_PX)}px`; }, [text]);
  const submit = (event) => {
    event.preventDefault();
    if (!ready) return;
    send(text.trim());
    setText("");
    box.current.focus();
  };
  const key = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229 && !TOUCH.matches) submit(event);
  };
  const paste = (event) => {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    addFiles(event.clipboardData.files);
  };
  const choose = (event) => { addFiles([...event.target.files]); event.target.value = ""; };
  const heard = (words) => write(text ? `${text} ${words}` : words);
  const speech = store.health?.parts?.speech_in;
  return html`
    <form class="composer" onSubmit=${submit}>
      <${Queued} queued=${store.queued} sessionId=${sessionId} loading=${store.loading} />
      ${store.choices.temporary && store.messages.length > 0 && html`<${TemporaryNote} sessionId=${sessionId} />`}
      <${Chips} choices=${store.choices} personas=${store.personas} language=${store.language} graph=${store.graph} />
      ${store.files.length > 0 && html`<ul class="files" aria-label=${t("attach")}>${store.files.map((file) => html`<${FileChip} key=${file.key} file=${file} />`)}</ul>`}
      <div class="row">
        <label class="icon file-button" title=${t("attach")}><${Icon} name="attach" /><input type="file" multiple aria-label=${t("attach")} onChange=${choose} /></label>
        <${IconButton} icon="settings" label=${t("choices")} onClick=${() => openPanel("choices")} />
        <textarea id="message-box" ref=${box} rows="1" dir="auto" value=${text} placeholder=${t(TOUCH.matches ? "placeholderTouch" : "placeholder")} aria-label=${t("placeholder")}
          onInput=${(event) => write(event.target.value)} onKeyDown=${key} onPaste=${paste}></textarea>
        ${speech && speech.state !== "missing" && canDictate() && html`<${Dictate} onText=${heard} />`}
        ${store.running && !ready
          ? html`<button type="button" key="stop" class="primary round" title=${t("stop")} aria-label=${t("stop")} onClick=${stop}><${Icon} name="stop" /></button>`
          : html`<button type="submit" key="send" class="primary round" title=${t(later ? "sendLater" : "send")} aria-label=${t(later ? "sendLater" : "send")} disabled=${!ready}><${Icon} name="send" /></button>`}
      </div>
    </form>`;
}

function Dictate({ onText }) {
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
  return html`<${IconButton} icon="microphone" class=${end ? "on recording" : ""} aria-pressed=${Boolean(end)} aria-busy=${busy} disabled=${busy}
    label=${t(busy ? "transcribing" : end ? "stopDictation" : "dictate")} onClick=${click} />`;
}
