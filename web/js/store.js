// What the page knows. Components read it; the files of actions change it through `set`.
import { languages, loadWords, setLanguage } from "./i18n.js";
import { Component, html, useEffect, useState } from "./preact.js";

const stored = (name, fallback) => localStorage.getItem(name) ?? fallback;

export const state = {
  language: [localStorage.getItem("language"), ...navigator.languages].map((name) => name?.slice(0, 2)).find((name) => name in languages) ?? "en",
  theme: stored("theme", "auto"),
  whenBusy: stored("whenBusy", "queue"),
  speakAnswers: stored("speakAnswers", "") === "yes",
  talk: null,        // the rest of the page, once it is loaded: see talk.js
  health: null,
  me: null,          // who calls: {user_id, name, role}; null for a stranger
  graph: null,       // the graph of a turn: {nodes: [{name, title}], edges: [[from, to]]}
  sessions: [],
  moreSessions: null,  // cursor of the rest of the list
  archived: false,   // whether the list shows what was put away
  query: "",
  sessionId: null,
  messages: [],      // never changed in place: {key, role, text, runId, messageId, parentId, versions, state, attachments, citations, tools, nodes, usage, warnings, reasoning, error}
  aim: null,         // id of the message that a search led to
  title: "",         // of the open conversation, which need not be in the list
  earlier: 0,        // messages of the session that are not loaded yet
  loading: false,
  choices: {},       // what is chosen for the conversation, by option of a turn: see choices.js
  personas: null,    // the roles that can be chosen, once they are needed: see personas.js
  files: [],         // uploads of the message being written: {key, file, name, status, progress, attachment, error}
  running: null,     // {runId, sessionId, abort, stopping}
  connected: true,
  panel: null,       // null, or a name of `PANELS`
  selected: null,    // key of the message whose details are shown
  source: null,      // the place opened in the sources panel: a citation, or {document_id, name, page}
  menu: false,
  notice: null,      // {text, kind}
  queued: JSON.parse(sessionStorage.getItem("queued") ?? "[]"),  // messages that wait for the end of an answer: {key, sessionId, text, attachments}
  dialog: null,      // null | "key" | "shortcuts"
  receipt: null,
};

const listeners = new Set();

export function set(changes) {
  Object.assign(state, changes);
  for (const listener of listeners) listener();
}

// Draws again at most once a frame, whatever happens in between.
export function useStore() {
  const [, update] = useState(0);
  useEffect(() => {
    let frame = 0;
    const listener = () => { frame ||= requestAnimationFrame(() => { frame = 0; update((n) => n + 1); }); };
    listeners.add(listener);
    listener();
    return () => { listeners.delete(listener); cancelAnimationFrame(frame); };
  }, []);
  return state;
}

// A component that is drawn again only when one of its properties is another one.
export function memo(Inner) {
  return class extends Component {
    shouldComponentUpdate(next) {
      const names = new Set([...Object.keys(next), ...Object.keys(this.props)]);
      return [...names].some((name) => next[name] !== this.props[name]);
    }
    render(props) { return html`<${Inner} ...${props} />`; }
  };
}

export async function prefer(name, value) {
  if (name === "language") await loadWords(value, true);
  localStorage.setItem(name, typeof value === "boolean" ? (value ? "yes" : "") : value);
  set({ [name]: value });
  applyPreferences();
}

export function applyPreferences() {
  setLanguage(state.language);
  // So that the server sends these words along with the page.
  if (localStorage.getItem("language")) document.cookie = `language=${state.language}; max-age=31536000; samesite=strict`;
  if (state.theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = state.theme;
}

let closing;

// Shows an error until it is closed, and a remark for some seconds.
export function notify(it) {
  if (it?.name === "AbortError") return;
  clearTimeout(closing);
  const failed = it instanceof Error;
  set({ notice: { text: failed ? [it.message, it.remedy].filter(Boolean).join(" ") : String(it), kind: failed ? "error" : "info" } });
  if (!failed) closing = setTimeout(() => set({ notice: null }), 6000);
  if (it?.code === "unauthorized") set({ dialog: "key" });
}

let opener = null;

// An open panel or menu is an entry of the browser's history, so that Back closes it.
function showLayer(layer) {
  const { panel, menu } = history.state ?? {};
  history[panel || menu ? "replaceState" : "pushState"](layer, "");
}

function leaveLayer(name) {
  if (history.state?.[name]) history.back();
}

// Shows what an entry of the history says is open.
export function restoreLayer(entry) {
  set({ panel: entry?.panel ?? null, selected: entry?.selected ?? null, source: entry?.source ?? null, menu: Boolean(entry?.menu) });
}

export function openPanel(panel, changes = {}) {
  if (!state.panel) opener = document.activeElement;
  set({ panel, ...changes });
  showLayer({ panel, selected: state.selected, source: state.source });
}

export function closePanel() {
  set({ panel: null, source: null });
  leaveLayer("panel");
  const back = opener;
  opener = null;
  afterDrawing(() => { if (back?.isConnected) back.focus(); });
}

export function openMenu() {
  set({ menu: true });
  showLayer({ menu: true });
  afterDrawing(() => document.querySelector(".sidebar button")?.focus());
}

export function closeMenu() {
  set({ menu: false });
  leaveLayer("menu");
  afterDrawing(() => document.querySelector(".menu-button")?.focus());
}

const afterDrawing = (action) => requestAnimationFrame(() => requestAnimationFrame(action));

export const newId = () =>
  crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
