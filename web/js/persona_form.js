// The form in which a role is written or changed.
import { getJson, sendJson } from "./api.js";
import { t } from "./i18n.js";
import { changePersonas, personaPath } from "./persona_actions.js";
import { html, useEffect, useRef, useState } from "./preact.js";

const NEW = { name: "", prompt: "", tone: "", tools: null, model: "", memory: "shared", opening: "", shared: false };
const TOOLS = ["all", "none", "some"];

// `persona` is the one to change, or {} for a new one.
export function PersonaForm({ store, persona, close }) {
  const before = { ...NEW, ...persona };
  const [tools, setTools] = useState(before.tools === null ? "all" : before.tools.length ? "some" : "none");
  const [models, setModels] = useState([]);
  const first = useRef(null);
  useEffect(() => {
    first.current.focus();
    getJson("connection").then((found) => setModels(found.models), () => {});
  }, []);
  const save = async (event) => {
    event.preventDefault();
    const { patterns = "", shared, ...texts } = Object.fromEntries(new FormData(event.target));
    const some = patterns.split(/[\s,，、]+/).filter(Boolean);
    const body = { ...texts, tools: { all: null, none: [], some }[tools], ...(store.personas.may_share && { shared: Boolean(shared) }) };
    const saved = await changePersonas(() => (persona.id ? sendJson(personaPath(persona.id), body, "PATCH") : sendJson("personas", body)));
    if (saved) close();
  };
  const offered = [...new Set(["", ...models, before.model])];
  return html`
    <form class="settings" aria-label=${t(persona.id ? "editPersona" : "writePersona")} onSubmit=${save}>
      <label>${t("personaName")}<input ref=${first} name="name" required maxlength="60" dir="auto" autocomplete="off" defaultValue=${before.name} /></label>
      <label>${t("personaPrompt")}<textarea name="prompt" required rows="8" maxlength="20000" dir="auto" defaultValue=${before.prompt}></textarea></label>
      <details><summary>${t("variables")}</summary><dl class="variables">${Object.entries(store.personas?.variables ?? {}).map(([name, text]) => html`
        <div key=${name}><dt><code>${`{{${name}}}`}</code></dt><dd>${text[store.language]}</dd></div>`)}</dl></details>
      <label>${t("personaTone")}<input name="tone" maxlength="200" dir="auto" autocomplete="off" defaultValue=${before.tone} /></label>
      <label>${t("personaOpening")}<textarea name="opening" rows="3" maxlength="2000" dir="auto" defaultValue=${before.opening}></textarea></label>
      <label>${t("personaMemory")}<select name="memory" defaultValue=${before.memory}>
        ${["shared", "own"].map((value) => html`<option key=${value} value=${value} selected=${value === before.memory}>${t(`memory-${value}`)}</option>`)}</select></label>
      ${offered.length > 2 && html`<label>${t("model")}<select name="model">
        ${offered.map((value) => html`<option key=${value} value=${value} selected=${value === before.model}>${value || t("modelOfServer")}</option>`)}</select></label>`}
      <label>${t("tools")}<select value=${tools} onChange=${(event) => setTools(event.target.value)}>
        ${TOOLS.map((value) => html`<option key=${value} value=${value}>${t(`tools-${value}`)}</option>`)}</select></label>
      ${tools === "some" && html`<label>${t("toolPatterns")}<input name="patterns" required dir="ltr" autocomplete="off" placeholder="web_search, calc*" defaultValue=${before.tools?.join(", ") ?? ""} /></label>`}
      ${store.personas?.may_share && html`<label class="check"><input type="checkbox" name="shared" defaultChecked=${before.shared} /> ${t("sharePersona")}</label>`}
      <div class="buttons"><button type="button" onClick=${close}>${t("cancel")}</button><button type="submit" class="primary">${t("save")}</button></div>
    </form>`;
}
