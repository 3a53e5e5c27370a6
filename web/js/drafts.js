// What is being written in each conversation, text and uploaded files: kept by this browser until it is sent.
import { request } from "./api.js";
import { choicesOf } from "./choices.js";
import { state } from "./store.js";

const PREFIX = "draft:";
const NEW = "new";
const LONGEST_MS = 7 * 86_400_000;

export const isUsable = ({ attachment, status }) => Boolean(attachment?.id) && status !== "failed";

// Those of temporary conversations, which no browser is to keep.
const unkept = new Map();

// Whether it is a conversation that there is already.
const isListed = (sessionId) => sessionId === state.sessionId && (state.messages.length > 0 || state.loading);

export function draftOf(sessionId) {
  const kept = unkept.get(sessionId) ?? read(PREFIX + sessionId) ?? read(PREFIX + NEW);
  return kept && (!kept.sessionId || kept.sessionId === sessionId) ? kept : { text: "", files: [] };
}

// The id of the conversation that was begun and has no message yet.
export const begunSession = () => read(PREFIX + NEW)?.sessionId ?? null;

export function keepDraft(sessionId, changes) {
  const { text, files } = { ...draftOf(sessionId), ...changes };
  if (choicesOf(sessionId).temporary) {
    unkept.set(sessionId, { text, files });
    return;
  }
  const key = PREFIX + (isListed(sessionId) ? sessionId : NEW);
  if (!text.trim() && !files.length) localStorage.removeItem(key);
  else localStorage.setItem(key, JSON.stringify({ sessionId, text, files, at: Date.now() }));
}

export function forgetDraft(sessionId) {
  unkept.delete(sessionId);
  localStorage.removeItem(PREFIX + sessionId);
  if (begunSession() === sessionId) localStorage.removeItem(PREFIX + NEW);
}

// Removes what nobody has come back to, with the files that were uploaded for it.
export function dropOldDrafts() {
  for (const key of Object.keys(localStorage).filter((name) => name.startsWith(PREFIX))) {
    const { files = [], at = 0 } = read(key) ?? {};
    if (Date.now() - at < LONGEST_MS) continue;
    localStorage.removeItem(key);
    for (const { id } of files.filter((file) => !file.lasting)) request(`documents/${id}`, { method: "DELETE" }).catch(() => {});
  }
}

function read(key) {
  try { return JSON.parse(localStorage.getItem(key)); } catch { return null; }
}
