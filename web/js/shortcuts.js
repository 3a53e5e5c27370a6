// Keys that work everywhere on the page.
import { forgetDraft } from "./drafts.js";
import { withTalk } from "./lazy.js";
import { openSession } from "./sessions.js";
import { closeMenu, closePanel, openMenu, set, state } from "./store.js";

const APPLE = /Mac|iPhone|iPad/.test(navigator.platform);
export const COMMAND = APPLE ? "⌘" : "Ctrl";

export const focusBox = () => document.getElementById("message-box")?.focus();

export function newChat() {
  // A temporary one that was only begun is not gone on with.
  if (state.choices.temporary && !state.messages.length) forgetDraft(state.sessionId);
  openSession(null);
  requestAnimationFrame(focusBox);
}

function search() {
  const box = document.querySelector(".sidebar input[type=search]");
  if (document.querySelector(".sidebar[inert]")) openMenu();
  requestAnimationFrame(() => requestAnimationFrame(() => { box.focus(); box.select(); }));
}

function escape(event) {
  // Dialogs and popups close by themselves, and only they do.
  if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open], :popover-open")) return;
  if (state.menu) closeMenu();
  else if (state.panel) closePanel();
  else if (state.notice || state.receipt) set({ notice: null, receipt: null });
  else if (state.running) withTalk(({ stop }) => stop());
}

export function listenForKeys() {
  const pressed = (event) => {
    const command = APPLE ? event.metaKey : event.ctrlKey;
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    const name = event.key.toLowerCase();
    if (event.key === "Escape") escape(event);
    else if (command && !event.shiftKey && !event.altKey && name === "k") { event.preventDefault(); search(); }
    else if (command && event.shiftKey && name === "o") { event.preventDefault(); newChat(); }
    else if (event.key === "?" && !typing && !command && !document.querySelector("dialog[open]")) set({ dialog: "shortcuts" });
  };
  addEventListener("keydown", pressed);
  return () => removeEventListener("keydown", pressed);
}
