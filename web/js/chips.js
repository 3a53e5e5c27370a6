// What is chosen for this conversation, above the message box: a click opens where it is chosen, the cross takes it back.
import { choose } from "./choices.js";
import { languages, nodeName, t } from "./i18n.js";
import { IconButton } from "./icons.js";
import { choosePersona, personaName } from "./personas.js";
import { html } from "./preact.js";
import { plainName } from "./safe_name.js";
import { memo, openPanel, state } from "./store.js";

// By the name of a choice: its panel, and how its value is called.
const CHIPS = {
  persona: { panel: "role", label: (value, store) => plainName(personaName(store, value)), take: () => choosePersona(null) },
  system_prompt: { panel: "role", label: () => t("systemPrompt") },
  model: { panel: "model", label: (value) => value },
  tools: { panel: "choices", label: (value) => (value.length ? t("someTools", { n: value.length }) : t("withoutTools")) },
  memory: { panel: "choices", label: () => t("withoutMemory") },
  agent: { panel: "choices", label: (value) => nodeName(value, state.graph) },
  language: { panel: "choices", label: (value) => t("answersIn", { language: languages[value] }) },
};

export const Chips = memo(({ choices, personas }) => {
  const shown = Object.entries(choices).filter(([name]) => CHIPS[name]);
  if (!shown.length) return "";
  return html`<ul class="choices" aria-label=${t("chosen")}>${shown.map(([name, value]) => {
    const { panel, label, take = () => choose(name, null) } = CHIPS[name];
    const called = label(value, { personas });
    return html`<li key=${name} class="chip"><button type="button" class="name" onClick=${() => openPanel(panel)}><bdi>${called}</bdi></button>
      <${IconButton} icon="close" label=${t("takeBack", { name: called })} onClick=${take} /></li>`;
  })}</ul>`;
});
