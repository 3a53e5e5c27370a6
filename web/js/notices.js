// What has just happened, told once: errors, a lost connection, and the receipt of a deletion.
import { html } from "./preact.js";
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
      ${store.receipt && html`<${Receipt} receipt=${store.receipt} />`}
    </div>`;
}

// One sentence; what each store held is there to unfold.
function Receipt({ receipt }) {
  const rows = Object.entries(receipt.stores ?? {});
  return html`
    <div class="notice receipt-notice">
      <details><summary>${t("removedItems", { n: receipt.removed ?? 0 })}</summary>
        <table class="receipt">
          <thead><tr><th scope="col">${t("store")}</th><th scope="col">${t("before")}</th><th scope="col">${t("after")}</th></tr></thead>
          <tbody>${rows.map(([name, count]) => html`
            <tr key=${name}><th scope="row">${storeName(name)}</th><td>${count.before}</td><td>${count.after}</td></tr>`)}</tbody>
        </table></details>
      <${IconButton} icon="close" label=${t("close")} onClick=${() => set({ receipt: null })} />
    </div>`;
}
