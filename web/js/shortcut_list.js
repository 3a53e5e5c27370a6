// The list of the keys that work everywhere.
import { Dialog } from "./dialog.js";
import { t } from "./i18n.js";
import { html } from "./preact.js";
import { COMMAND } from "./shortcuts.js";

const LIST = [
  ["Enter", "keySend"], ["Shift+Enter", "keyLine"], ["Esc", "keyStop"], [`${COMMAND}+K`, "search"], [`${COMMAND}+Shift+O`, "newChat"], ["?", "shortcuts"],
];

export const Shortcuts = ({ onClose }) => html`
  <${Dialog} label=${t("shortcuts")} onClose=${onClose}>
    <dl class="keys">${LIST.map(([keys, does]) => html`<div key=${keys}><dt>${keys.split("+").map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${t(does)}</dd></div>`)}</dl>
    <div class="buttons"><button type="button" autofocus onClick=${onClose}>${t("close")}</button></div>
  <//>`;
