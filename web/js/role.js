// In which role the assistant answers in this conversation: a built-in one, one that somebody wrote, or in words of one's own.
import { choose } from "./choices.js";
import { Dialog } from "./dialog.js";
import { distinctNames } from "./distinct.js";
import { roleName, t } from "./i18n.js";
import { Icon } from "./icons.js";
import { Menu } from "./menu.js";
import { copyPersona, exportPersona, importPersona, removePersona } from "./persona_actions.js";
import { PersonaForm } from "./persona_form.js";
import { choosePersona, loadPersonas } from "./personas.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { plainName } from "./safe_name.js";

const SHOWN_CHARS = 300;

export function View({ store }) {
  const [written, write] = useState(null);
  const [unwanted, ask] = useState(null);
  const start = useRef(null);
  useEffect(() => { loadPersonas(); }, [store.language]);
  const { personas, choices, language } = store;
  if (!personas) return html`<p class="quiet">${t("loading")}</p>`;
  const close = () => { write(null); setTimeout(() => start.current?.focus()); };
  if (written) return html`<${PersonaForm} store=${store} persona=${written} close=${close} />`;
  const builtIn = Object.entries(personas.personas).map(([name, text]) => ({ key: name, name: roleName(name), prompt: text[language] }));
  const keyed = (list) => list.map((one) => ({ ...one, key: one.id }));
  const called = distinctNames([...builtIn, ...keyed(personas.own), ...keyed(personas.shared)].map(({ key, name }) => ({ id: key, name: plainName(name) })));
  const row = (role) => html`<${Row} key=${role.key} role=${role} name=${called.get(role.key) ?? role.name} chosen=${(choices.persona ?? "") === role.key} edit=${write} remove=${ask} />`;
  const take = (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (file) importPersona(file);
  };
  return html`
    <div class="settings roles">
      <div class="buttons"><button type="button" class="add" ref=${start} onClick=${() => write({})}><${Icon} name="plus" /> ${t("writePersona")}</button>
        <label class="file-button add"><${Icon} name="import" /> ${t("importPersona")}<input type="file" accept=".json,application/json" aria-label=${t("importPersona")} onChange=${take} /></label></div>
      ${row({ key: "", name: t("noRole"), prompt: "" })}
      ${personas.own.length > 0 && html`<fieldset><legend>${t("ownPersonas")}</legend>${keyed(personas.own).map(row)}</fieldset>`}
      ${personas.shared.length > 0 && html`<fieldset><legend>${t("sharedPersonas")}</legend>${keyed(personas.shared).map(row)}</fieldset>`}
      <fieldset><legend>${t("personas")}</legend>${builtIn.map(row)}</fieldset>
      <label>${t("systemPrompt")}
        <textarea rows="6" maxlength="20000" dir="auto" placeholder=${t("systemPromptHint")} value=${choices.system_prompt ?? ""} onInput=${(event) => choose("system_prompt", event.target.value)}></textarea></label>
    </div>
    ${unwanted && html`<${Dialog} label=${t("confirmPersona", { name: plainName(unwanted.name) })} onClose=${() => ask(null)}>
      <p>${t("deletePersonaWhat")}</p>
      <div class="buttons"><button type="button" onClick=${() => ask(null)}>${t("cancel")}</button>
        <button type="button" class="danger" onClick=${() => { ask(null); removePersona(unwanted); }}>${t("remove")}</button></div><//>`}`;
}

function Row({ role, name, chosen, edit, remove }) {
  const items = [
    role.mine && ["edit", t("edit"), () => edit(role)],
    ["copyPersona", t("copyPersona"), () => copyPersona(role)],
    role.id && ["exportPersona", t("exportPersona"), () => exportPersona(role)],
    role.mine && ["remove", t("remove"), () => remove(role), true],
  ].filter(Boolean);
  const told = role.prompt.slice(0, SHOWN_CHARS);
  return html`<div class="role-row">
    <label class="check"><input type="radio" name="persona" aria-label=${name} checked=${chosen} onChange=${() => choosePersona(role.key || null)} />
      <span><bdi>${name}</bdi>${role.mine && role.shared && html` <small class="state">${t("isShared")}</small>`}${told && html`<small class="told" dir="auto">${told}</small>`}</span></label>
    ${role.key && html`<${Menu} icon="more" label=${t("actionsOf", { name })} title=${t("actions")} name=${name} items=${items} />`}</div>`;
}
