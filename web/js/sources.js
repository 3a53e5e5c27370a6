// The sources of an answer.
import { html } from "./preact.js";
import { t } from "./i18n.js";
import { Place, placeKey } from "./place.js";
import { plainName } from "./safe_name.js";
import { set } from "./store.js";

export function View({ store, message }) {
  const citations = message?.citations ?? [];
  const { source } = store;
  return html`
    ${source && html`<${Place} key=${placeKey(source)} place=${source} />`}
    ${citations.length ? "" : html`<p class="quiet">${t("noSources")}</p>`}
    <ol class="sources">${citations.map((citation, i) => html`<${Citation} key=${i} citation=${citation} current=${Boolean(source) && placeKey(citation) === placeKey(source)} />`)}</ol>`;
}

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
