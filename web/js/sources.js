// The sources of an answer.
import { t } from "./i18n.js";
import { distinctNames } from "./distinct.js";
import { html } from "./preact.js";
import { Place, placeKey } from "./place.js";
import { plainName } from "./safe_name.js";
import { openPanel } from "./store.js";

export function View({ store, message }) {
  const citations = message?.citations ?? [];
  const { source } = store;
  return html`
    ${source && html`<${Place} key=${placeKey(source)} place=${source} />`}
    ${citations.length ? "" : html`<p class="quiet">${t("noSources")}</p>`}
    ${grouped(citations).map((group) => html`<${Group} key=${group.id} group=${group} source=${source} />`)}`;
}

// By document or address, in the order of their first quote; in each by page.
function grouped(citations) {
  const groups = new Map();
  for (const citation of citations) {
    const key = citation.document_id || citation.url || citation.name;
    if (!groups.has(key)) groups.set(key, { id: key, name: plainName(citation.name), citations: [] });
    groups.get(key).citations.push(citation);
  }
  for (const group of groups.values()) group.citations.sort((a, b) => (a.page ?? 0) - (b.page ?? 0));
  const called = distinctNames([...groups.values()]);
  return [...groups.values()].map((group) => ({ ...group, name: called.get(group.id) }));
}

const Group = ({ group, source }) => html`
  <section class="source" aria-label=${group.name}>
    <h3><bdi>${group.name}</bdi></h3>
    <ol class="sources">${group.citations.map((citation, i) => html`<${Citation} key=${i} citation=${citation} newPage=${citation.page !== group.citations[i - 1]?.page}
      current=${Boolean(source) && placeKey(citation) === placeKey(source)} />`)}</ol>
  </section>`;

function Citation({ citation, newPage, current }) {
  const { number, quote, verified, page, label } = citation;
  return html`
    <li class=${current ? "current" : ""}>
      ${newPage && page && html`<small class="page">${t("page", { page: label || page })}</small>`}
      <button type="button" aria-current=${current} onClick=${() => openPanel("sources", { source: citation })}>
        <span class="head"><span class="cite">${number}</span>${quote ? html`<q dir="auto">${quote}</q>` : html`<bdi>${plainName(citation.name)}</bdi>`}</span>
        <small class=${verified ? "checked" : "unchecked"}>${t(verified ? "verified" : "unverified")}</small>
      </button></li>`;
}
