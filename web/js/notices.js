// What has just happened, told once: errors, a lost connection, and the receipt of a deletion.
import { html } from "./preact.js";
import { Dialog } from "./dialog.js";
import { storeName, t } from "./i18n.js";
import { IconButton } from "./icons.js";
import { set } from "./store.js";

export function Notices({ store }) {
  const close = () => set({ notice: null });
  return html`
    <div class="notices" role="status" aria-live="polite">
      ${!store.connected && html`<div class="notice error"><span>${t("lost")}</span></div>`}
      ${store.notice && html`
        <div class="notice ${store.notice.kind}">
          <span dir="auto">${store.notice.text}</span>
          <${IconButton} icon="close" label=${t("close")} onClick=${close} />
        </div>`}
    </div>
    ${store.receipt && html`<${Receipt} receipt=${store.receipt} />`}`;
}

function Receipt({ receipt }) {
  const close = () => set({ receipt: null });
  const rows = Object.entries(receipt.stores ?? {});
  return html`
    <${Dialog} label=${t("receipt")} onClose=${close}>
      <p>${t("removedItems", { n: receipt.removed ?? 0 })}</p>
      <table class="receipt">
        <thead><tr><th scope="col">${t("store")}</th><th scope="col">${t("before")}</th><th scope="col">${t("after")}</th></tr></thead>
        <tbody>${rows.map(([name, count]) => html`
          <tr key=${name}><th scope="row">${storeName(name)}</th><td>${count.before}</td><td>${count.after}</td></tr>`)}</tbody>
      </table>
      <div class="buttons"><button type="button" class="primary" autofocus onClick=${close}>${t("close")}</button></div>
    <//>`;
}
