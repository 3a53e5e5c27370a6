// The frame: conversations at the left, the conversation in the middle, details at the right.
import { html, useEffect, useState } from "./preact.js";
import { Composer } from "./composer.js";
import { Header } from "./header.js";
import { t } from "./i18n.js";
import { Messages } from "./messages.js";
import { Notices } from "./notices.js";
import { Panel } from "./panel.js";
import { Sidebar } from "./sidebar.js";
import { useLoaded, withTalk } from "./lazy.js";
import { plainName } from "./safe_name.js";
import { listenForKeys } from "./shortcuts.js";
import { closeMenu, set, useStore } from "./store.js";

const closeDialog = () => set({ dialog: null });
const NARROW = matchMedia("(max-width: 900px)");

export function App() {
  const store = useStore();
  const narrow = useNarrow();
  const KeyDialog = useLoaded(store.dialog === "key", () => import("./key_dialog.js").then((module) => module.KeyDialog));
  const Shortcuts = useLoaded(store.dialog === "shortcuts", () => import("./shortcut_list.js").then((module) => module.Shortcuts));
  useEffect(listenForFiles, []);
  useEffect(listenForKeys, []);
  const session = store.sessions.find((item) => item.session_id === store.sessionId);
  const name = plainName(session?.title || store.title);
  useEffect(() => { document.title = name ? `${name} · ${t("title")}` : t("title"); }, [name, store.language]);
  const behind = narrow && Boolean(store.menu || store.panel);
  return html`
    <a class="skip" href="#message-box">${t("skip")}</a>
    <div class="frame ${store.panel ? "with-panel" : ""} ${store.menu ? "with-menu" : ""}">
      <${Sidebar} talk=${store.talk} longest=${store.health?.limits.sharing_seconds} language=${store.language} sessions=${store.sessions} more=${store.moreSessions} archived=${store.archived} sessionId=${store.sessionId} query=${store.query} open=${!narrow || store.menu} menu=${store.menu} />
      <div class="shade" onClick=${closeMenu}></div>
      <main aria-label=${t("title")} inert=${behind}>
        <${Header} store=${store} />
        <${Messages} store=${store} />
        <${Composer} store=${store} />
      </main>
      ${store.panel && html`<${Panel} store=${store} name=${store.panel} />`}
    </div>
    <div class="drop-hint" aria-hidden="true">${t("dropHere")}</div>
    <${Notices} store=${store} />
    ${Shortcuts && html`<${Shortcuts} onClose=${closeDialog} />`}
    ${KeyDialog && html`<${KeyDialog} onClose=${closeDialog} />`}`;
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
      const files = [...event.dataTransfer.files];
      withTalk(({ addFiles }) => addFiles(files));
    },
  };
  for (const [name, handler] of Object.entries(handlers)) addEventListener(name, handler);
  return () => { for (const [name, handler] of Object.entries(handlers)) removeEventListener(name, handler); };
}
