// Which models and parts answer, and in which state they are.
import { isBundled, splitKind } from "./header.js";
import { partName, t } from "./i18n.js";
import { html } from "./preact.js";

export function View({ store }) {
  return html`
    <div class="settings"><section aria-label=${t("parts")}><h3>${t("parts")}</h3>
      <ul class="parts">${Object.entries(store.health?.parts ?? {}).map(([name, part]) => html`<${Part} key=${name} name=${name} part=${part} />`)}</ul></section></div>`;
}

function Part({ name, part }) {
  const [, kind] = splitKind(part.kind);
  return html`<li class=${part.state}><div class="head"><strong>${partName(name)}</strong>
    <span class="state ${part.state}">${t(`state-${part.state}`)}</span>${isBundled(part) && html`<span class="state">${t("bundledPart")}</span>`}</div>
    ${kind !== "none" && html`<div>${kind}</div>`}<small>${part.detail}</small></li>`;
}
