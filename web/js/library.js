// The documents of this conversation, and those that are kept for all conversations.
import { getJson, upload } from "./api.js";
import { t } from "./i18n.js";
import { Icon, IconButton, kindIcon } from "./icons.js";
import { Place, placeKey } from "./place.js";
import { html, useEffect, useState } from "./preact.js";
import { plainName } from "./safe_name.js";
import { notify, openPanel, set } from "./store.js";

const LOOK_MS = 1500;

export function View({ store }) {
  const { lasting, own, refresh } = useDocuments(store.sessionId, store.messages.length);
  const { source } = store;
  const add = async (event) => {
    const files = [...event.target.files];
    event.target.value = "";
    try { for (const file of files) await upload(file, { scope: "library" }, () => {}); } catch (error) { notify(error); }
    refresh();
  };
  const remove = async (file) => {
    try { set({ receipt: await getJson(`documents/${file.id}`, { method: "DELETE" }) }); } catch (error) { notify(error); }
    refresh();
  };
  return html`
    ${source && html`<${Place} key=${placeKey(source)} place=${source} />`}
    ${own.length > 0 && html`<h3>${t("files")}</h3><${Files} files=${own} remove=${remove} />`}
    <h3>${t("lasting")}</h3>
    <p class="quiet">${t(lasting.length ? "libraryHint" : "emptyLibrary")}</p>
    <label class="file-button add"><${Icon} name="plus" /> ${t("addToLibrary")}<input type="file" multiple aria-label=${t("addToLibrary")} onChange=${add} /></label>
    <${Files} files=${lasting} remove=${remove} />`;
}

// Looks again while one of them is being read.
function useDocuments(sessionId, count) {
  const [found, setFound] = useState({ lasting: [], own: [] });
  const [round, setRound] = useState(0);
  const refresh = () => setRound((n) => n + 1);
  useEffect(() => {
    let timer = 0;
    let gone = false;
    const load = async () => {
      const [lasting, all] = await Promise.all([getJson("documents"), getJson(`documents?session_id=${encodeURIComponent(sessionId)}`)]);
      if (gone) return;
      const ids = new Set(lasting.map((file) => file.id));
      setFound({ lasting, own: all.filter((file) => !ids.has(file.id)) });
      if (all.some((file) => ["queued", "reading"].includes(file.status))) timer = setTimeout(refresh, LOOK_MS);
    };
    load().catch(notify);
    return () => { gone = true; clearTimeout(timer); };
  }, [sessionId, count, round]);
  return { ...found, refresh };
}

const Files = ({ files, remove }) => html`<ul class="sources">${files.map((file) => html`<${File} key=${file.id} file=${file} remove=${remove} />`)}</ul>`;

function File({ file, remove }) {
  const [asked, ask] = useState(false);
  const name = plainName(file.name);
  const open = () => openPanel("library", { source: { document_id: file.id, name: file.name, page: 1 } });
  const { pages_total: total, pages_done: done = 0, status } = file;
  return html`<li class="file">
    <button type="button" aria-label=${t("openFile", { name })} onClick=${open}>
      <span class="head"><${Icon} name=${kindIcon(file)} /><bdi>${name}</bdi><small>${status === "ready" ? total > 1 ? t("readyPages", { total }) : "" : total ? t("pages", { done, total }) : t(status)}</small></span>
      ${file.summary && html`<span class="summary" dir="auto">${file.summary}</span>`}
    </button>
    ${asked ? html`<div class="buttons"><button type="button" onClick=${() => ask(false)}>${t("cancel")}</button><button type="button" class="danger" onClick=${() => remove(file)}>${t("removeFile", { name })}</button></div>`
      : html`<${IconButton} icon="bin" label=${t("removeFile", { name })} onClick=${() => ask(true)} />`}</li>`;
}
