// A file of the message being written: how far it is, what went wrong, the password that it wants.
import { html, useEffect, useRef } from "./preact.js";
import { removeFile, retryUpload, unlock } from "./files.js";
import { t } from "./i18n.js";
import { Icon, IconButton, kindIcon } from "./icons.js";
import { plainName } from "./safe_name.js";
import { openPanel } from "./store.js";
import { hasThumbnail, Thumbnail } from "./thumbnail.js";

export function FileChip({ file }) {
  const name = plainName(file.name);
  const open = () => openPanel("library", { source: { document_id: file.attachment.id, name: file.name, page: 1 } });
  const locked = file.status === "failed" && file.error?.code === "password_required";
  return html`
    <li class="chip ${file.status} ${locked ? "locked" : ""}">
      ${isPicture(file) ? html`<button type="button" class="look" aria-label=${t("openFile", { name })} disabled=${!file.attachment?.id} onClick=${open}><${Thumbnail} id=${file.attachment?.id} file=${file.file} /></button>` : html`<${Icon} name=${kindIcon(file.attachment ?? {})} />`}<bdi class="name" title=${name}>${name}</bdi>
      <small role="status">${stateOf(file, locked)}</small>
      <${Progress} file=${file} name=${name} />
      ${file.status === "failed" && !locked && file.file && !file.attachment?.id && html`<button type="button" class="quiet strong" onClick=${() => retryUpload(file)}>${t("retry")}</button>`}
      ${locked && html`<${Password} file=${file} name=${name} />`}
      <${IconButton} icon="close" label=${t("removeFile", { name })} onClick=${() => removeFile(file.key)} />
    </li>`;
}

const isPicture = ({ attachment, file }) => hasThumbnail(attachment ?? {}) || Boolean(file?.type.startsWith("image/"));

function stateOf(file, locked) {
  if (locked) return t(file.tried ? "wrongPassword" : "needsPassword");
  if (file.status === "failed") return `${file.error?.message ?? t("failed")} ${file.error?.remedy ?? ""}`;
  const { pages_total: total, pages_done: done = 0 } = file.attachment ?? {};
  if (file.status === "ready") return total > 1 ? t("readyPages", { total }) : t("ready");
  return total && file.status === "reading" ? t("pages", { done, total }) : t(file.status ?? "uploading");
}

function Progress({ file, name }) {
  const { pages_total: total, pages_done: done = 0 } = file.attachment ?? {};
  if (file.status === "uploading") return html`<progress max="1" value=${file.progress} aria-label=${name}></progress>`;
  return file.status === "reading" && total ? html`<progress max=${total} value=${done} aria-label=${name}></progress>` : "";
}

// Not a form: it stands inside the form of the message.
function Password({ file, name }) {
  const box = useRef(null);
  useEffect(() => box.current.focus(), []);
  const submit = () => { if (box.current.value) unlock(file, box.current.value); };
  const key = (event) => { if (event.key === "Enter") { event.preventDefault(); submit(); } };
  return html`<span class="password"><input type="password" ref=${box} autocomplete="off" placeholder=${t("password")} aria-label=${t("passwordOf", { name })} onKeyDown=${key} />
    <button type="button" onClick=${submit}>${t("unlock")}</button></span>`;
}
