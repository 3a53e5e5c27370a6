// Which of the versions of a message is shown, and the way to the others.
import { t } from "./i18n.js";
import { html } from "./preact.js";
import { showVersion } from "./session_actions.js";

export function Versions({ message, busy }) {
  const { versions = [], messageId } = message;
  if (versions.length < 2 || !messageId) return "";
  const at = versions.indexOf(messageId);
  const step = (by, sign, label) => html`<button type="button" class="quiet" aria-label=${t(label)} title=${t(label)}
    disabled=${busy || !versions[at + by]} onClick=${() => showVersion(versions[at + by])}>${sign}</button>`;
  return html`<span class="versions" role="group" aria-label=${t("versions")}>
    ${step(-1, "‹", "previousVersion")}<span>${at + 1}/${versions.length}</span>${step(1, "›", "nextVersion")}</span>`;
}
