// What is chosen for this conversation, above the message box: a click opens where it is chosen, the cross takes it back.
import { choose } from "./choices.js";
import { languages, nodeName, t } from "./i18n.js";
import { IconButton } from "./icons.js";
import { html } from "./preact.js";
import { memo, openPanel, state } from "./store.js";

// By the name of a choice: its panel, and how its value is called.
const CHIPS = {
  persona: { panel: "role", label: (value) => value },
  system_prompt: { panel: "role", label: () => t("systemPrompt") },
  model: { panel: "model", label: (value) => value },
  tools: { panel: "choices", label: (value) => (value.length ? t("someTools", { n: value.length }) : t("withoutTools")) },
  agent: { panel: "choices", label: (value) => nodeName(value, state.graph) },
  language: { panel: "choices", label: (value) => t("answersIn", { language: languages[value] }) },
};

export const Chips = memo(({ choices }) => {
  const shown = Object.entries(choices).filter(([name]) => CHIPS[name]);
  if (!shown.length) return "";
  return html`<ul class="choices" aria-label=${t("chosen")}>${shown.map(([name, value]) => {
    const { panel, label } = CHIPS[name];
    return html`<li key=${name} class="chip"><button type="button" class="name" onClick=${() => openPanel(panel)}><bdi>${label(value)}</bdi></button>
      <${IconButton} icon="close" label=${t("takeBack", { name: label(value) })} onClick=${() => choose(name, null)} /></li>`;
  })}</ul>`;
});
