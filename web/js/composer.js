// The message box: text, files, pictures, voice.
import { html, useEffect, useRef, useState } from "./preact.js";
import { Chips } from "./chips.js";
import { draftOf, isUsable, keepDraft } from "./drafts.js";
import { t } from "./i18n.js";
import { Icon, IconButton } from "./icons.js";
import { withTalk } from "./lazy.js";
import { focusBox } from "./shortcuts.js";
import { openPanel, state } from "./store.js";
import { TemporaryNote } from "./temporary.js";

const MOST_PX = 240;
const TOUCH = matchMedia("(pointer: coarse)");

export function Composer({ store }) {
  const { sessionId, talk } = store;
  const [text, setText] = useState(() => draftOf(sessionId).text);
  const box = useRef(null);
  const waits = useRef(false);
  useEffect(() => setText(draftOf(sessionId).text), [sessionId]);
  // On a touch screen the keyboard would cover the page.
  useEffect(() => { if (!TOUCH.matches) focusBox(); }, []);
  const write = (value) => {
    setText(value);
    keepDraft(state.sessionId, { text: value });  // another conversation may be open already that is not drawn yet
  };
  const uploading = store.files.some((file) => file.status === "uploading");
  const later = store.running || store.loading;
  const ready = !uploading && Boolean(text.trim() || store.files.some(isUsable));
  useEffect(() => { box.current.style.height = "auto"; box.current.style.height = `${Math.min(box.current.scrollHeight, MOST_PX)}px`; }, [text]);
  const submit = (event) => {
    event.preventDefault();
    if (!ready || waits.current) return;
    waits.current = true;
    const sent = withTalk(({ send }) => { send(box.current.value.trim()); setText(""); });
    Promise.resolve(sent).then(() => { waits.current = false; });
    box.current.focus();
  };
  const key = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229 && !TOUCH.matches) submit(event);
  };
  const attach = (list) => {
    const files = [...list];
    withTalk(({ addFiles }) => addFiles(files));
  };
  const paste = (event) => {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    attach(event.clipboardData.files);
  };
  const choose = (event) => { attach(event.target.files); event.target.value = ""; };
  const heard = (words) => write(text ? `${text} ${words}` : words);
  const speech = store.health?.parts?.speech_in;
  return html`
    <form class="composer" onSubmit=${submit}>
      ${talk && html`<${talk.Queued} queued=${store.queued} sessionId=${sessionId} loading=${store.loading} />`}
      ${store.choices.temporary && store.messages.length > 0 && html`<${TemporaryNote} sessionId=${sessionId} />`}
      <${Chips} choices=${store.choices} personas=${store.personas} language=${store.language} graph=${store.graph} />
      ${talk && store.files.length > 0 && html`<ul class="files" aria-label=${t("attach")}>${store.files.map((file) => html`<${talk.FileChip} key=${file.key} file=${file} />`)}</ul>`}
      <div class="row">
        <label class="icon file-button" title=${t("attach")}><${Icon} name="attach" /><input type="file" multiple aria-label=${t("attach")} onChange=${choose} /></label>
        <${IconButton} icon="settings" label=${t("choices")} onClick=${() => openPanel("choices")} />
        <textarea id="message-box" ref=${box} rows="1" dir="auto" value=${text} placeholder=${t(TOUCH.matches ? "placeholderTouch" : "placeholder")} aria-label=${t("placeholder")}
          onInput=${(event) => write(event.target.value)} onKeyDown=${key} onPaste=${paste}></textarea>
        ${talk && speech && speech.state !== "missing" && html`<${talk.Dictate} onText=${heard} />`}
        ${store.running && !ready
          ? html`<button type="button" key="stop" class="primary round" title=${t("stop")} aria-label=${t("stop")} onClick=${() => talk.stop()}><${Icon} name="stop" /></button>`
          : html`<button type="submit" key="send" class="primary round" title=${t(later ? "sendLater" : "send")} aria-label=${t(later ? "sendLater" : "send")} disabled=${!ready}><${Icon} name="send" /></button>`}
      </div>
    </form>`;
}
