// The frame: conversations at the left, the conversation in the middle, details at the right.
import { html, useEffect, useState } from "./preact.js";
import { Composer } from "./composer.js";
import { addFiles } from "./files.js";
import { Header } from "./header.js";
import { t } from "./i18n.js";
import { Messages } from "./messages.js";
import { Notices } from "./notices.js";
import { Panel } from "./panel.js";
import { Sidebar } from "./sidebar.js";
import { closeMenu, closePanel, set, state, useStore } from "./store.js";

const NARROW = matchMedia("(max-width: 900px)");

export function App() {
  const store = useStore();
  const narrow = useNarrow();
  useEffect(listenForFiles, []);
  useEffect(listenForEscape, []);
  const behind = narrow && Boolean(store.menu || store.panel);
  return html`
    <a class="skip" href="#message-box">${t("skip")}</a>
    <div class="frame ${store.panel ? "with-panel" : ""} ${store.menu ? "with-menu" : ""}">
      <${Sidebar} language=${store.language} sessions=${store.sessions} more=${store.moreSessions} archived=${store.archived} sessionId=${store.sessionId} query=${store.query} open=${!narrow || store.menu} menu=${store.menu} />
      <div class="shade" onClick=${closeMenu}></div>
      <main aria-label=${t("title")} inert=${behind}>
        <${Header} store=${store} />
        <${Messages} store=${store} />
        <${Composer} store=${store} />
      </main>
      ${store.panel && html`<${Panel} store=${store} name=${store.panel} />`}
    </div>
    <div class="drop-hint" aria-hidden="true">${t("dropHere")}</div>
    <${Notices} store=${store} />`;
}

function useNarrow() {
  const [narrow, setNarrow] = useState(NARROW.matches);
  useEffect(() => {
    const change = () => setNarrow(NARROW.matches);
    NARROW.addEventListener("change", change);
    return () => NARROW.removeEventListener("change", change);
  }, []);
  return narrow;
}

function listenForEscape() {
  const escape = (event) => {
    // Dialogs and popups close by themselves, and only they do.
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open], :popover-open")) return;
    if (state.menu) closeMenu();
    else if (state.panel) closePanel();
    else if (state.notice) set({ notice: null });
  };
  addEventListener("keydown", escape);
  return () => removeEventListener("keydown", escape);
}

function listenForFiles() {
  const carries = (event) => event.dataTransfer?.types.includes("Files");
  const show = (shown) => document.body.classList.toggle("dropping", shown);
  const handlers = {
    dragover(event) { if (carries(event)) { event.preventDefault(); show(true); } },
    dragleave(event) { if (!event.relatedTarget) show(false); },
    drop(event) {
      show(false);
      if (!carries(event)) return;
      event.preventDefault();
      addFiles(event.dataTransfer.files);
    },
  };
  for (const [name, handler] of Object.entries(handlers)) addEventListener(name, handler);
  return () => { for (const [name, handler] of Object.entries(handlers)) removeEventListener(name, handler); };
}
