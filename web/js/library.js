// The documents of this conversation, and those that are kept for all conversations.
import { getJson, sendJson } from "./api.js";
import { distinctNames } from "./distinct.js";
import { Icon } from "./icons.js";
import { File } from "./library_file.js";
import { t } from "./i18n.js";
import { Place, placeKey } from "./place.js";
import { html, useEffect, useState } from "./preact.js";
import { plainName } from "./safe_name.js";
import { notify, openPanel } from "./store.js";
import { upload } from "./upload.js";

const LOOK_MS = 1500;
const TYPING_MS = 250;
const MOST_HITS = 8;
const nameOf = (file) => plainName(file.name);

export function View({ store }) {
  const { sessionId, source } = store;
  const [query, setQuery] = useState("");
  const { lasting, own, refresh } = useDocuments(sessionId, store.messages.length);
  const hits = useHits(query.trim(), sessionId);
  const called = distinctNames([...own, ...lasting], nameOf);
  const wanted = query.trim().toLowerCase();
  const named = [...own, ...lasting].filter((file) => nameOf(file).toLowerCase().includes(wanted));
  const add = async (event) => {
    const files = [...event.target.files];
    event.target.value = "";
    try { for (const file of files) await upload(file, { scope: "library" }, () => {}); } catch (error) { notify(error); }
    refresh();
  };
  const list = (files) => html`<ul class="sources">${files.map((file) => html`<${File} key=${file.id} file=${file} called=${called.get(file.id)} refresh=${refresh} />`)}</ul>`;
  return html`
    ${source && html`<${Place} key=${placeKey(source)} place=${source} />`}
    ${own.length + lasting.length > 0 && html`<input type="search" class="find" placeholder=${t("searchDocuments")} aria-label=${t("searchDocuments")} value=${query} onInput=${(event) => setQuery(event.target.value)} />`}
    ${wanted ? html`
      ${named.length + hits.length === 0 && html`<p class="quiet" role="status">${t("noMatch")}</p>`}
      ${list(named)}
      ${hits.length > 0 && html`<h3>${t("foundInside")}</h3><ul class="sources">${hits.map((hit) => html`<${Found} key=${`${hit.document_id} ${hit.page} ${hit.start}`} hit=${hit} />`)}</ul>`}` : html`
      ${own.length > 0 && html`<h3>${t("files")}</h3>${list(own)}`}
      <h3>${t("lasting")}</h3>
      <p class="quiet">${t(lasting.length ? "libraryHint" : "emptyLibrary")}</p>
      <label class="file-button add"><${Icon} name="plus" /> ${t("addToLibrary")}<input type="file" multiple aria-label=${t("addToLibrary")} onChange=${add} /></label>
      ${list(lasting)}`}`;
}

function Found({ hit }) {
  const open = () => openPanel("library", { source: { document_id: hit.document_id, name: hit.name, page: hit.page, start: hit.start, quote: hit.text } });
  return html`<li><button type="button" onClick=${open}>
    <span class="head"><bdi>${plainName(hit.name)}</bdi><small>${t("page", { page: hit.label || hit.page })}</small></span>
    <span class="summary" dir="auto">${hit.text}</span></button></li>`;
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

// Passages in which words of the query stand.
function useHits(query, sessionId) {
  const [hits, setHits] = useState([]);
  useEffect(() => {
    if (!query) { setHits([]); return undefined; }
    let gone = false;
    const timer = setTimeout(() => sendJson("documents/search", { query, session_id: sessionId, top_k: MOST_HITS })
      .then(({ hits: found }) => { if (!gone) setHits(found.filter((hit) => hit.coverage > 0)); }, notify), TYPING_MS);
    return () => { gone = true; clearTimeout(timer); };
  }, [query, sessionId]);
  return hits;
}
