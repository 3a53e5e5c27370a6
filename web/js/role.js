// In which role the assistant answers in this conversation: one of the server's, or in words of one's own.
import { getJson } from "./api.js";
import { choose } from "./choices.js";
import { t } from "./i18n.js";
import { html, useEffect, useState } from "./preact.js";

export function View({ store }) {
  const [personas, setPersonas] = useState({});
  useEffect(() => { getJson("personas").then((found) => setPersonas(found.personas), () => {}); }, []);
  const { persona = "", system_prompt: own = "" } = store.choices;
  return html`
    <div class="settings">
      <fieldset><legend>${t("personas")}</legend>
        ${[["", {}], ...Object.entries(personas)].map(([name, text]) => html`
          <label key=${name} class="check"><input type="radio" name="persona" checked=${persona === name} onChange=${() => choose("persona", name)} />
            <span>${name || t("noRole")}${text[store.language] && html`<small dir="auto">${text[store.language]}</small>`}</span></label>`)}</fieldset>
      <label>${t("systemPrompt")}
        <textarea rows="6" maxlength="20000" dir="auto" placeholder=${t("systemPromptHint")} value=${own} onInput=${(event) => choose("system_prompt", event.target.value)}></textarea></label>
    </div>`;
}
