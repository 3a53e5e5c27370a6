// Which model answers in this conversation, how another is connected, and which other parts are in use.
import { getJson, sendJson } from "./api.js";
import { choose } from "./choices.js";
import { isBundled, splitKind } from "./header.js";
import { partName, t } from "./i18n.js";
import { html, useEffect, useState } from "./preact.js";
import { notify } from "./store.js";

export function View({ store }) {
  const [connection, setConnection] = useState(null);
  useEffect(() => { getJson("connection").then(setConnection, notify); }, []);
  return html`
    <div class="settings">
      ${connection?.models.length > 1 && html`<label>${t("answersHere")}
        <select value=${store.choices.model ?? connection.model} onChange=${(event) => choose("model", event.target.value === connection.model ? null : event.target.value)}>
          ${connection.models.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}</select></label>`}
      ${connection && html`<${Connect} connection=${connection} />`}
      <section aria-label=${t("parts")}><h3>${t("parts")}</h3>
      <ul class="parts">${Object.entries(store.health?.parts ?? {}).map(([name, part]) => html`<${Part} key=${name} name=${name} part=${part} />`)}</ul></section></div>`;
}

// The lines for `.env`; whoever is alone on the server may try them and have them written.
function Connect({ connection }) {
  const [address, setAddress] = useState("");
  const [key, setKey] = useState("");
  const [model, setModel] = useState("");
  const [found, setFound] = useState(null);
  const [models, setModels] = useState([]);
  const [told, setTold] = useState("");
  const act = async (action) => { setTold(t("thinking")); try { setTold(await action()); } catch (error) { setTold([error.message, error.remedy].filter(Boolean).join(" ")); } };
  const body = () => ({ base_url: address.trim(), ...(key && { api_key: key }), ...(model.trim() && { model: model.trim() }) });
  const look = () => act(async () => {
    const { servers } = await getJson("connection/local");
    setFound(servers);
    return servers.length ? "" : t("noLocal");
  });
  const take = (server) => { setAddress(server.base_url); setModels(server.models); setModel(server.models[0] ?? ""); setKey(""); };
  const test = () => act(async () => {
    const answer = await sendJson("connection/test", body());
    if (answer.models.length) setModels(answer.models);
    return model.trim() ? t("modelAnswers", { said: answer.said }) : t("modelsThere", { n: answer.models.length });
  });
  const write = () => act(async () => {
    const { path, overridden } = await sendJson("connection", body(), "PUT");
    return [t("written", { path }), overridden.length && t("overridden", { names: overridden.join(", ") })].filter(Boolean).join(" ");
  });
  const lines = `LLM_BASE_URL=${address || "https://…/v1"}\nLLM_API_KEY=${key ? "…" : ""}\nLLM_MODEL=${model || "…"}`;
  return html`
    <details open=${connection.kind !== "hosted"}><summary>${t("connect")}</summary>
      <p class="quiet">${t("connectHint")}</p>
      ${connection.writable && html`
        <div class="buttons"><button type="button" onClick=${look}>${t("lookLocal")}</button></div>
        ${found?.map((server) => html`<button type="button" key=${server.base_url} onClick=${() => take(server)}>${server.name} · ${t("modelsThere", { n: server.models.length })}</button>`)}
        <label>LLM_BASE_URL<input type="url" value=${address} placeholder="https://api.example.com/v1" onInput=${(event) => setAddress(event.target.value)} /></label>
        <label>LLM_API_KEY<input type="password" autocomplete="off" value=${key} onInput=${(event) => setKey(event.target.value)} /></label>
        <label>LLM_MODEL<input list="models-there" value=${model} onInput=${(event) => setModel(event.target.value)} /></label>
        <datalist id="models-there">${models.map((name) => html`<option key=${name} value=${name} />`)}</datalist>
        <div class="buttons"><button type="button" disabled=${!address} onClick=${test}>${t("tryIt")}</button>
          <button type="button" class="primary" disabled=${!address || !model.trim()} onClick=${write}>${t("writeIt")}</button></div>
        <p role="status" dir="auto">${told}</p>`}
      <pre class="page-text" tabindex="0">${lines}</pre>
    </details>`;
}

function Part({ name, part }) {
  const [, kind] = splitKind(part.kind);
  return html`<li class=${part.state}><div class="head"><strong>${partName(name)}</strong>
    <span class="state ${part.state}">${t(`state-${part.state}`)}</span>${isBundled(part) && html`<span class="state">${t("bundledPart")}</span>`}</div>
    ${kind !== "none" && html`<div>${kind}</div>`}<small>${part.detail}</small></li>`;
}
