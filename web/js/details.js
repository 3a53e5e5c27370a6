// The panel at the right: sources of an answer, what the assistant did, the graph, settings.
import { html, useEffect, useState } from "../vendor/htm-preact.js";
import { apiKey, getBlob, getJson, setApiKey } from "./api.js";
import { Graph } from "./graph.js";
import { languages, nodeName, t } from "./i18n.js";
import { notify, prefer, refreshHealth, refreshSessions, set } from "./state.js";

export function Details({ store }) {
  if (!store.panel) return "";
  const message = store.messages[store.selected] ?? store.messages.findLast?.((m) => m.role === "assistant");
  const views = { sources: Sources, activity: Activity, graph: GraphView, settings: SettingsView };
  return html`
    <aside class="panel" aria-label=${t(store.panel)}>
      <div class="bar"><h2>${t(store.panel)}</h2>
        <button type="button" class="icon" aria-label=${t("close")} onClick=${() => set({ panel: null, source: null })}>×</button></div>
      <${views[store.panel]} store=${store} message=${message} />
    </aside>`;
}

function Sources({ store, message }) {
  const citations = message?.citations ?? [];
  if (!citations.length) return html`<p class="quiet">${t("noSources")}</p>`;
  return html`
    <ol class="sources">${citations.map((citation, i) => html`
      <li key=${i} class=${store.source?.citation === citation ? "current" : ""}>
        <button type="button" aria-label=${t("openSource", { n: citation.number, name: citation.name })} onClick=${() => set({ source: { citation } })}>
          <span class="cite">${citation.number}</span> <strong>${citation.name}</strong>
          ${citation.page && html` · ${t("page", { page: citation.label || citation.page })}`}
          <q>${citation.quote}</q>
          ${citation.verified && html`<small>✓ ${t("verified")}</small>`}
        </button></li>`)}</ol>
    ${store.source?.citation && html`<${Place} key=${`${store.source.citation.document_id}${store.source.citation.start}`} citation=${store.source.citation} />`}`;
}

// The page, picture or address that a citation points at, with the quoted words marked.
function Place({ citation }) {
  const [page, setPage] = useState(citation.page ?? 1);
  const [shown, setShown] = useState(null);
  useEffect(() => {
    let gone = false;
    let url = null;
    if (citation.document_id) load(citation.document_id, page).then((value) => { url = value.image; if (!gone) setShown(value); }).catch((error) => { if (!gone) setShown({ error }); });
    return () => { gone = true; if (url) URL.revokeObjectURL(url); };
  }, [citation.document_id, page]);
  if (citation.url) {
    return html`<div class="place"><a href=${/^https?:/.test(citation.url) ? citation.url : null} target="_blank" rel="noopener noreferrer">${citation.url}</a>
      <blockquote><mark>${citation.quote}</mark></blockquote></div>`;
  }
  if (!shown) return html`<p class="quiet">…</p>`;
  if (shown.error) return html`<p class="mark error">${t("noDocument")} ${shown.error.message}</p>`;
  return html`
    <div class="place">
      ${shown.total > 1 && html`<div class="bar">
        <button type="button" class="icon" aria-label=${t("previous")} disabled=${page <= 1} onClick=${() => setPage(page - 1)}>‹</button>
        <span>${t("page", { page: shown.label || page })} / ${shown.total} ${shown.ocr ? `· ${t("scanned")}` : ""}</span>
        <button type="button" class="icon" aria-label=${t("next")} disabled=${page >= shown.total} onClick=${() => setPage(page + 1)}>›</button></div>`}
      ${shown.image && html`<img src=${shown.image} alt=${citation.name} />`}
      <pre class="page-text">${page === citation.page ? marked(shown.text, citation) : shown.text}</pre>
    </div>`;
}

async function load(id, page) {
  const [document, body] = await Promise.all([getJson(`documents/${id}`), getJson(`documents/${id}/pages?from=${page}&to=${page}`)]);
  const found = (body.pages ?? [])[0] ?? { markdown: "" };
  const image = document.kind === "image" ? URL.createObjectURL(await getBlob(`documents/${id}/content`)) : null;
  return { text: found.markdown, label: found.label, ocr: found.ocr, total: document.pages_total ?? 1, image };
}

function marked(text, { start, end, quote }) {
  let [from, to] = [start, end];
  if (text.slice(from, to) !== quote) { from = text.indexOf(quote); to = from + quote.length; }
  if (from < 0) return text;
  const show = (element) => element?.scrollIntoView({ block: "center" });
  return html`${text.slice(0, from)}<mark ref=${show}>${text.slice(from, to)}</mark>${text.slice(to)}`;
}

function Activity({ message }) {
  const tools = message?.tools ?? [];
  const nodes = (message?.nodes ?? []).filter((node) => node.state !== "start" || message.state === "running");
  if (!tools.length && !nodes.length) return html`<p class="quiet">${t("noActivity")}</p>`;
  return html`
    <ol class="activity">
      ${nodes.map((node) => html`<li key=${node.id} class=${node.state}><span>${nodeName(node.name)}</span>
        <small>${node.state === "start" ? t("running") : t("seconds", { n: (node.seconds ?? 0).toFixed(2) })}</small></li>`)}
    </ol>
    <ol class="activity">
      ${tools.map((tool, i) => html`<li key=${i} class=${tool.status}><code>${tool.name}</code> <small>${t(tool.status)}${tool.cached ? ` · ${t("cached")}` : ""}
        ${tool.seconds !== undefined ? ` · ${t("seconds", { n: tool.seconds.toFixed(2) })}` : ""}</small><pre>${JSON.stringify(tool.arguments, null, 1)}</pre></li>`)}
    </ol>`;
}

const GraphView = ({ message }) => html`<${Graph} nodes=${message?.nodes ?? []} />`;

function SettingsView({ store }) {
  const parts = Object.entries(store.health?.parts ?? {});
  const saveKey = async (event) => { setApiKey(event.target.value); await refreshHealth(); await refreshSessions(); };
  return html`
    <div class="settings">
      <label>${t("systemPrompt")}
        <textarea rows="5" placeholder=${t("systemPromptHint")} value=${store.systemPrompt} onChange=${(e) => prefer("systemPrompt", e.target.value)}></textarea></label>
      <label>${t("language")}
        <select value=${store.language} onChange=${(e) => prefer("language", e.target.value)}>
          ${Object.entries(languages).map(([value, name]) => html`<option key=${value} value=${value}>${name}</option>`)}</select></label>
      <label>${t("theme")}
        <select value=${store.theme} onChange=${(e) => prefer("theme", e.target.value)}>
          <option value="auto">${t("themeAuto")}</option><option value="light">${t("themeLight")}</option><option value="dark">${t("themeDark")}</option></select></label>
      <label>${t("apiKey")}<input type="password" autocomplete="off" placeholder=${t("apiKeyHint")} value=${apiKey()} onChange=${(e) => saveKey(e).catch(notify)} /></label>
      <h3>${t("parts")}</h3>
      <dl>${parts.map(([name, part]) => html`<dt key=${name} class=${part.state}>${name} <small>${part.state} · ${part.kind}</small></dt><dd>${part.detail}</dd>`)}</dl>
    </div>`;
}
