// What is remembered of the user over all conversations: why, corrected, forgotten, switched off.
import { getJson, sendJson } from "./api.js";
import { Changes } from "./changes.js";
import { t } from "./i18n.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { loadPersonas, personaName } from "./personas.js";
import { openTurn } from "./session_actions.js";
import { notify, set } from "./store.js";
import { Sure } from "./sure.js";

const SAID = { said: "saidOn", asked: "askedOn", edited: "editedOn" };

export function View({ store }) {
  const [past, showPast] = useState(false);
  const { found, act } = useMemories(past, store.messages.length);
  const kept = Boolean(found?.memories.some(({ persona }) => persona));
  useEffect(() => { if (kept && !store.personas) loadPersonas(); }, [kept]);
  const add = (event) => {
    event.preventDefault();
    const field = event.target.elements.text;
    const text = field.value.trim();
    if (text) act(() => sendJson("memories", { text })).then(() => { field.value = ""; });
  };
  const enable = (enabled) => act(() => sendJson("memories/enabled", { enabled }, "PUT"), { enabled });
  const forgetAll = () => act(async () => set({ receipt: await getJson("memories", { method: "DELETE" }) }));
  if (!found) return html`<p class="quiet">${t("loading")}</p>`;
  return html`
    <p class="quiet">${t("memoryHint")}</p>
    <label class="check"><input type="checkbox" checked=${found.enabled} onChange=${(event) => enable(event.target.checked)} /> ${t("memoryOn")}</label>
    <label class="check"><input type="checkbox" checked=${past} onChange=${(event) => showPast(event.target.checked)} /> ${t("showPast")}</label>
    ${found.enabled && html`<form class="row" onSubmit=${add}><input name="text" maxlength="1000" aria-label=${t("memoryText")} placeholder=${t("memoryText")} autocomplete="off" /><button type="submit">${t("addMemory")}</button></form>`}
    ${found.memories.length === 0 && html`<p class="quiet">${t("noMemories")}</p>`}
    <ul class="sources">${found.memories.map((item) => html`<${Item} key=${item.id} item=${item} store=${store} act=${act} />`)}</ul>
    ${found.memories.length > 0 && html`<${Sure} label=${t("forgetAll")} act=${forgetAll} />`}
    <${Changes} language=${store.language} />`;
}

// Looks again after each change, and when an answer has come. What was looked up before a change began is not shown after it.
function useMemories(past, count) {
  const [found, setFound] = useState(null);
  const [round, setRound] = useState(0);
  const changes = useRef(0);
  useEffect(() => {
    let gone = false;
    const before = changes.current;
    getJson(`memories?limit=200&past=${past}`).then((list) => { if (!gone && before === changes.current) setFound(list); }, notify);
    return () => { gone = true; };
  }, [past, count, round]);
  const act = async (change, expected = {}) => {
    changes.current += 1;
    setFound((list) => ({ ...list, ...expected }));
    try { await change(); } catch (error) { notify(error); }
    setRound((n) => n + 1);
  };
  return { found, act };
}

function Item({ item, store, act }) {
  const [text, edit] = useState(null);
  const date = new Date(item.said_at).toLocaleDateString(document.documentElement.lang);
  const save = (event) => {
    event.preventDefault();
    act(() => sendJson(`memories/${item.id}`, { text }, "PATCH")).then(() => edit(null));
  };
  const forget = () => act(() => getJson(`memories/${item.id}`, { method: "DELETE" }));
  if (text !== null) {
    return html`<li><form class="row" onSubmit=${save}><input value=${text} maxlength="1000" aria-label=${t("memoryText")} onInput=${(event) => edit(event.target.value)} />
      <button type="submit">${t("save")}</button><button type="button" onClick=${() => edit(null)}>${t("cancel")}</button></form></li>`;
  }
  return html`<li data-memory=${item.id}>
    <p dir="auto">${item.text}</p>
    <p class="quiet">${t(SAID[item.origin], { date })}${item.holds ? "" : ` · ${t("heldBefore")}`}${item.persona && html` · <bdi>${t("memoryOf", { name: personaName(store, item.persona) })}</bdi>`}</p>
    <div class="buttons">
      ${item.session_id && html`<button type="button" class="quiet" onClick=${() => openTurn(item.session_id, item.run_id)}>${t("openConversation")}</button>`}
      ${item.holds && html`<button type="button" class="quiet" onClick=${() => edit(item.text)}>${t("correct")}</button>`}
      <${Sure} label=${t("forget")} act=${forget} />
    </div></li>`;
}
