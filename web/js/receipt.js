// The receipt of a deletion.
import { storeName, t } from "./i18n.js";
import { IconButton } from "./icons.js";
import { html } from "./preact.js";
import { set } from "./store.js";

// One sentence; what each store held is there to unfold.
export function Receipt({ receipt }) {
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
