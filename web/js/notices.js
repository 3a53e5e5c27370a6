// What has just happened, told once: errors, a lost connection, and what was deleted.
import { html } from "./preact.js";
import { t } from "./i18n.js";
import { IconButton } from "./icons.js";
import { set } from "./store.js";

export function Notices({ store }) {
  const { talk } = store;
  const close = () => set({ notice: null });
  return html`
    <div class="notices" role="status" aria-live="polite">
      ${!store.connected && html`<div class="notice error"><span>${t("lost")}</span></div>`}
      ${store.notice && html`
        <div class="notice ${store.notice.kind}">
          <span dir="auto">${store.notice.text}</span>
          <${IconButton} icon="close" label=${t("close")} onClick=${close} />
        </div>`}
      ${talk && store.receipt && html`<${talk.Receipt} receipt=${store.receipt} />`}
    </div>`;
}
