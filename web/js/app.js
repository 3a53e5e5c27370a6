// The frame: conversations at the left, the conversation in the middle, details at the right.
import { html, useEffect } from "../vendor/htm-preact.js";
import { Composer } from "./composer.js";
import { Details } from "./details.js";
import { t } from "./i18n.js";
import { Messages } from "./messages.js";
import { Sidebar } from "./sidebar.js";
import { addFiles, set, useStore } from "./state.js";

export function App() {
  const store = useStore();
  useEffect(() => {
    const stopDefault = (event) => { if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); };
    const drop = (event) => {
      stopDefault(event);
      document.body.classList.remove("dropping");
      if (event.dataTransfer?.files.length) addFiles(event.dataTransfer.files);
    };
    const over = (event) => { stopDefault(event); document.body.classList.toggle("dropping", event.dataTransfer?.types.includes("Files")); };
    const leave = (event) => { if (!event.relatedTarget) document.body.classList.remove("dropping"); };
    const escape = (event) => { if (event.key === "Escape") set({ menu: false, panel: null, notice: null }); };
    addEventListener("dragover", over);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    addEventListener("keydown", escape);
    return () => { removeEventListener("dragover", over); removeEventListener("dragleave", leave); removeEventListener("drop", drop); removeEventListener("keydown", escape); };
  }, []);
  return html`
    <a class="skip" href="#message-box">${t("skip")}</a>
    <div class="frame ${store.panel ? "with-panel" : ""} ${store.menu ? "with-menu" : ""}">
      <${Sidebar} store=${store} />
      <main aria-label=${t("title")}>
        <${Header} store=${store} />
        <${Messages} store=${store} />
        <${Composer} store=${store} />
      </main>
      <${Details} store=${store} />
    </div>
    <div class="drop-hint" aria-hidden="true">${t("dropHere")}</div>
    <${Notices} store=${store} />`;
}

function Header({ store }) {
  const session = store.sessions.find((item) => item.session_id === store.sessionId);
  const panelButton = (name, label, icon) => html`
    <button type="button" class="icon ${store.panel === name ? "on" : ""}" aria-pressed=${store.panel === name} title=${label} aria-label=${label}
      onClick=${() => set({ panel: store.panel === name ? null : name })}>${icon}</button>`;
  return html`
    <header>
      <button type="button" class="icon menu-button" aria-label=${t("menu")} aria-expanded=${store.menu} onClick=${() => set({ menu: !store.menu })}>☰</button>
      <h1>${session?.title || t("untitled")}</h1>
      <span class="model" title=${store.health?.parts?.chat?.detail ?? ""}>${store.health?.parts?.chat?.kind ?? ""}</span>
      ${panelButton("sources", t("sources"), "❝")}
      ${panelButton("activity", t("activity"), "⋯")}
      ${panelButton("graph", t("graph"), "◇")}
      ${panelButton("settings", t("settings"), "⚙")}
    </header>`;
}

function Notices({ store }) {
  return html`
    <div class="notices" role="status" aria-live="polite">
      ${!store.connected && html`<div class="notice error">${t("lost")} …</div>`}
      ${store.notice && html`
        <div class="notice ${store.notice.kind}">
          <span>${store.notice.text}</span>
          <button type="button" class="icon" aria-label=${t("close")} onClick=${() => set({ notice: null })}>×</button>
        </div>`}
      ${store.receipt && html`
        <div class="notice receipt" role="dialog" aria-label=${t("receipt")}>
          <button type="button" class="icon close" aria-label=${t("close")} onClick=${() => set({ receipt: null })}>×</button>
          <strong>${t("receipt")}</strong>
          <table>
            <thead><tr><th></th><th>${t("before")}</th><th>${t("after")}</th></tr></thead>
            <tbody>${Object.entries(store.receipt.stores ?? {}).map(([name, count]) => html`
              <tr key=${name}><th>${name}</th><td>${count.before}</td><td>${count.after}</td></tr>`)}</tbody>
          </table>
        </div>`}
    </div>`;
}
