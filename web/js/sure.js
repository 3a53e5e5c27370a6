// A button that asks once.
import { t } from "./i18n.js";
import { html, useState } from "./preact.js";

export function Sure({ label, act }) {
  const [asked, ask] = useState(false);
  return asked
    ? html`<span class="buttons"><button type="button" onClick=${() => ask(false)}>${t("cancel")}</button><button type="button" class="danger" onClick=${act}>${label}</button></span>`
    : html`<button type="button" class="quiet" onClick=${() => ask(true)}>${label}</button>`;
}
