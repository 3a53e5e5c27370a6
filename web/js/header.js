// The bar above a conversation.
import { html } from "../vendor/htm-preact.js";
import { t } from "./i18n.js";
import { IconButton } from "./icons.js";
import { plainName } from "./safe_name.js";
import { closePanel, openMenu, openPanel } from "./store.js";

const PANELS = { sources: "sources", activity: "activity", graph: "graph", settings: "settings" };

export function Header({ store }) {
  const session = store.sessions.find((item) => item.session_id === store.sessionId);
  return html`
    <header>
      <${IconButton} icon="menu" class="menu-button" label=${t("menu")} aria-expanded=${Boolean(store.menu)} onClick=${openMenu} />
      <h1 dir="auto">${plainName(session?.title) || t("untitled")}</h1>
      <${Model} part=${store.health?.parts?.chat} />
      ${Object.entries(PANELS).map(([name, icon]) => html`
        <${IconButton} key=${name} icon=${icon} label=${t(name)} class=${store.panel === name ? "on" : ""} aria-pressed=${store.panel === name}
          onClick=${() => (store.panel === name ? closePanel() : openPanel(name, { selected: null, source: null }))} />`)}
    </header>`;
}

// Which model answers, and whether it is one of the bundled ones.
function Model({ part }) {
  if (!part) return "";
  const [kind, name] = splitKind(part.kind);
  const label = isBundled(part) ? `${name} · ${t("bundledPart")}` : name;
  return html`<button type="button" class="model" title=${part.detail} aria-label="${t("parts")}: ${kind} ${label}" onClick=${() => openPanel("settings")}>${label}</button>`;
}

export const splitKind = (kind) => (kind.includes(": ") ? [kind.slice(0, kind.indexOf(": ")), kind.slice(kind.indexOf(": ") + 2)] : ["", kind]);
// `kind` alone tells: `detail` comes in the language of the interface.
export const isBundled = (part) => /^(reader|gguf): |^(bundled|embedded|shared|chroma embedded|multilingual-e5-small-q4|whisper-base)$|^PaddleOCR /.test(part.kind);
