// The sources of an answer, and the files of the conversation.
import { html, useEffect, useState } from "../vendor/htm-preact.js";
import { getJson } from "./api.js";
import { t } from "./i18n.js";
import { Icon, kindIcon } from "./icons.js";
import { Place } from "./place.js";
import { plainName } from "./safe_name.js";
import { set } from "./store.js";

export function Sources({ store, message }) {
  const citations = message?.citations ?? [];
  const { source } = store;
  return html`
    ${source && html`<${Place} key=${placeKey(source)} place=${source} />`}
    ${citations.length ? "" : html`<p class="quiet">${t("noSources")}</p>`}
    <ol class="sources">${citations.map((citation, i) => html`<${Citation} key=${i} citation=${citation} current=${citation === source} />`)}</ol>
    <${Files} sessionId=${store.sessionId} count=${store.messages.length + store.files.filter((file) => file.status === "ready").length} />`;
}

const placeKey = (place) => [place.document_id, place.url, place.page, place.start, place.quote].join("|");

function Citation({ citation, current }) {
  const { number, quote, verified } = citation;
  const name = plainName(citation.name);
  return html`
    <li class=${current ? "current" : ""}>
      <button type="button" aria-label=${t("openSource", { n: number, name })} aria-current=${current} onClick=${() => set({ source: citation })}>
        <span class="head"><span class="cite">${number}</span><bdi>${name}</bdi>${citation.page && html`<small>${t("page", { page: citation.label || citation.page })}</small>`}</span>
        ${quote && html`<q dir="auto">${quote}</q>`}
        <small class=${verified ? "checked" : "unchecked"}>${t(verified ? "verified" : "unverified")}</small>
      </button></li>`;
}

function Files({ sessionId, count }) {
  const [files, setFiles] = useState([]);
  useEffect(() => {
    let gone = false;
    getJson(`documents?session_id=${encodeURIComponent(sessionId)}`).then((list) => { if (!gone) setFiles(list); }).catch(() => {});
    return () => { gone = true; };
  }, [sessionId, count]);
  if (!files.length) return "";
  return html`
    <h3>${t("files")}</h3>
    <ul class="sources">${files.map((file) => html`<li key=${file.id}>
      <button type="button" aria-label=${t("openFile", { name: plainName(file.name) })} onClick=${() => set({ source: { document_id: file.id, name: file.name, page: 1 } })}>
        <span class="head"><${Icon} name=${kindIcon(file)} /><bdi>${plainName(file.name)}</bdi>
          ${file.pages_total > 1 && html`<small>${t("readyPages", { total: file.pages_total })}</small>`}</span>
        ${file.summary && html`<span class="summary" dir="auto">${file.summary}</span>`}
      </button></li>`)}</ul>`;
}
