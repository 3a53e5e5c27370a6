// What is chosen for this conversation alone: the language of its answers, who answers, with memory or without, and with which tools.
import { getJson } from "./api.js";
import { choose } from "./choices.js";
import { languages, nodeName, t } from "./i18n.js";
import { html, useEffect, useState } from "./preact.js";
import { notify } from "./store.js";

export function View({ store }) {
  const { language = "", agent = "", tools = null, memory = true } = store.choices;
  const agents = (store.graph?.nodes ?? []).filter((node) => node.agent).map(({ name }) => [name, nodeName(name, store.graph)]);
  const pick = (name) => (event) => choose(name, event.target.value);
  const select = (name, value, options) => html`<select value=${value} onChange=${pick(name)}>
    ${options.map(([id, text]) => html`<option key=${id} value=${id}>${text}</option>`)}</select>`;
  return html`
    <div class="settings">
      <p class="quiet">${t("choicesHint")}</p>
      <label>${t("answerLanguage")}${select("language", language, [["", t("asAsked")], ...Object.entries(languages)])}</label>
      <label>${t("whoAnswers")}${select("agent", agent, [["", t("asItFits")], ...agents])}</label>
      <label class="check"><input type="checkbox" checked=${memory} onChange=${(event) => choose("memory", event.target.checked ? null : false)} /> ${t("useMemory")}</label>
      <label class="check"><input type="checkbox" checked=${tools?.length !== 0} onChange=${(event) => choose("tools", event.target.checked ? null : [])} /> ${t("useTools")}</label>
      ${tools?.length !== 0 && html`<${Which} chosen=${tools} language=${store.language} />`}
    </div>`;
}

// Each tool that there is; without a choice all of them.
function Which({ chosen, language }) {
  const [all, setAll] = useState([]);
  useEffect(() => { getJson("tools").then(({ tools }) => setAll(tools.filter((tool) => tool.state !== "off")), notify); }, [language]);
  const names = all.map(({ name }) => name);
  const toggle = (name, on) => {
    const kept = names.filter((other) => (other === name ? on : chosen?.includes(other) ?? true));
    choose("tools", kept.length === names.length ? null : kept);
  };
  return html`<fieldset><legend>${t("whichTools")}</legend>${all.map((tool) => html`
    <label key=${tool.name} class="check"><input type="checkbox" checked=${chosen?.includes(tool.name) ?? true} onChange=${(event) => toggle(tool.name, event.target.checked)} /> <bdi>${tool.title ?? tool.name}</bdi></label>`)}</fieldset>`;
}
