// What the user said, which can be said otherwise.
import { html, useEffect, useRef, useState } from "./preact.js";
import { t } from "./i18n.js";
import { Icon, kindIcon } from "./icons.js";
import { plainName } from "./safe_name.js";
import { memo, openPanel } from "./store.js";
import { hasThumbnail, Thumbnail } from "./thumbnail.js";
import { answerAgain, edit } from "./turns.js";
import { Versions } from "./versions.js";

export const Question = memo(({ message, busy }) => {
  const [editing, setEditing] = useState(false);
  const button = useRef(null);
  const end = () => { setEditing(false); setTimeout(() => button.current?.focus()); };
  if (editing) return html`<${Editor} message=${message} onEnd=${end} />`;
  return html`
    <article class="question" data-message=${message.messageId} aria-label=${t("you")}>
      ${message.attachments.length > 0 && html`<div class="given">${message.attachments.map((file, i) => html`<${Given} key=${i} file=${file} />`)}</div>`}
      ${message.text && html`<div class="bubble" dir="auto">${message.text}</div>`}
      ${message.state === "interrupted" && html`<p class="mark">${t("cutOff")} <button type="button" class="quiet strong" disabled=${busy} onClick=${() => answerAgain(message)}>${t("retry")}</button></p>`}
      ${message.messageId && html`<div class="actions"><${Versions} message=${message} busy=${busy} />
        ${!busy && html`<button type="button" class="quiet" ref=${button} onClick=${() => setEditing(true)}>${t("edit")}</button>`}</div>`}
    </article>`;
});

function Given({ file }) {
  const name = plainName(file.name);
  const open = () => openPanel("library", { source: { document_id: file.id, name: file.name, page: 1 } });
  if (!file.id) return html`<span class="chip failed"><bdi>${name}</bdi></span>`;
  return html`<button type="button" class="chip ${hasThumbnail(file) ? "pictured" : ""}" title=${t("openFile", { name })} onClick=${open}>${hasThumbnail(file) ? html`<${Thumbnail} id=${file.id} />` : html`<${Icon} name=${kindIcon(file)} />`}<bdi class="name">${name || t("document")}</bdi></button>`;
}

function Editor({ message, onEnd }) {
  const box = useRef(null);
  useEffect(() => { box.current.focus(); box.current.setSelectionRange(message.text.length, message.text.length); }, []);
  const save = (event) => {
    event.preventDefault();
    const text = box.current.value.trim();
    if (!text) return;
    onEnd();
    edit(message, text);
  };
  const key = (event) => {
    if (event.key === "Escape") { event.preventDefault(); onEnd(); }
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) save(event);
  };
  return html`<article class="question" aria-label=${t("edit")}><form onSubmit=${save}>
    <textarea ref=${box} rows="4" aria-label=${t("edit")} defaultValue=${message.text} onKeyDown=${key}></textarea>
    <div class="buttons"><button type="button" onClick=${onEnd}>${t("cancel")}</button><button type="submit" class="primary">${t("send")}</button></div>
  </form></article>`;
}
