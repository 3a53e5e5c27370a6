// The bar above a conversation: its name, which model answers, in which role, the library, and everything else.
import { t } from "./i18n.js";
import { Icon, IconButton } from "./icons.js";
import { Menu } from "./menu.js";
import { PANELS, panelsAt } from "./panels.js";
import { personaName } from "./personas.js";
import { html } from "./preact.js";
import { plainName } from "./safe_name.js";
import { closePanel, openMenu, openPanel } from "./store.js";

export function Header({ store }) {
  const session = store.sessions.find((item) => item.session_id === store.sessionId);
  const toggle = (name) => (store.panel === name ? closePanel() : openPanel(name, { selected: null, source: null }));
  const looks = (name) => ({ class: store.panel === name ? "on" : "", "aria-pressed": store.panel === name, onClick: () => toggle(name) });
  return html`
    <header>
      <${IconButton} icon="menu" class="menu-button" label=${t("menu")} aria-expanded=${Boolean(store.menu)} onClick=${openMenu} />
      <h1 dir="auto">${plainName(session?.title ?? store.title) || t(store.choices.temporary ? "temporary" : "untitled")}</h1>
      <${Model} part=${store.health?.parts?.chat} chosen=${store.choices.model} />
      <button type="button" class="role ${store.panel === "role" ? "on" : ""}" aria-pressed=${store.panel === "role"} aria-label="${t("role")}: ${roleOf(store)}" onClick=${() => toggle("role")}>
        <${Icon} name="person" /><span>${roleOf(store)}</span></button>
      ${panelsAt("header", store.me).map((name) => html`<${IconButton} key=${name} icon=${PANELS[name].icon} label=${t(name)} ...${looks(name)} />`)}
      <${Menu} icon="more" label=${t("more")} items=${panelsAt("menu", store.me).map((name) => [name, t(name), () => toggle(name)])} />
    </header>`;
}

const roleOf = (store) => {
  const { persona, system_prompt: own } = store.choices;
  return persona ? plainName(personaName(store, persona)) : t(own ? "ownRole" : "noRole");
};

// Which model answers, and whether it is one of the bundled ones.
function Model({ part, chosen }) {
  if (!part) return "";
  const [kind, name] = splitKind(part.kind);
  const label = chosen ?? (isBundled(part) ? `${name} · ${t("bundledPart")}` : name);
  return html`<button type="button" class="model" title=${part.detail} aria-label="${t("model")}: ${kind} ${label}" onClick=${() => openPanel("model")}>${label}</button>`;
}

export const splitKind = (kind) => (kind.includes(": ") ? [kind.slice(0, kind.indexOf(": ")), kind.slice(kind.indexOf(": ") + 2)] : ["", kind]);
// `kind` alone tells: `detail` comes in the language of the interface.
export const isBundled = (part) => /^(reader|gguf): |^(bundled|embedded|shared|chroma embedded|multilingual-e5-small-q4|whisper-base)$|^PaddleOCR /.test(part.kind);
