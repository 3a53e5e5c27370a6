// What is being written in each conversation, text and uploaded files: kept by this browser until it is sent,
// of a temporary conversation by this tab.
import { request } from "./api.js";
import { placeOf } from "./choices.js";
import { state } from "./store.js";

const PREFIX = "draft:";
const NEW = "new";
const LONGEST_MS = 7 * 86_400_000;

export const isUsable = ({ attachment, status }) => Boolean(attachment?.id) && status !== "failed";

// Whether it is a conversation that there is already.
const isListed = (sessionId) => sessionId === state.sessionId && (state.messages.length > 0 || state.loading);

export function draftOf(sessionId) {
  const where = placeOf(sessionId);
  const kept = read(where, PREFIX + sessionId) ?? read(where, PREFIX + NEW);
  return kept && (!kept.sessionId || kept.sessionId === sessionId) ? kept : { text: "", files: [] };
}

// The id of the conversation that was begun and has no message yet.
export const begunSession = () => (read(sessionStorage, PREFIX + NEW) ?? read(localStorage, PREFIX + NEW))?.sessionId ?? null;

export function keepDraft(sessionId, changes) {
  const { text, files } = { ...draftOf(sessionId), ...changes };
  const where = placeOf(sessionId);
  const begun = !isListed(sessionId);
  const key = PREFIX + (begun ? NEW : sessionId);
  // That a conversation was begun as a temporary one is worth keeping, too.
  const empty = !text.trim() && !files.length && !(begun && where === sessionStorage);
  if (empty) where.removeItem(key);
  else where.setItem(key, JSON.stringify({ sessionId, text, files, at: Date.now() }));
}

export function forgetDraft(sessionId) {
  for (const where of [sessionStorage, localStorage]) {
    where.removeItem(PREFIX + sessionId);
    if (read(where, PREFIX + NEW)?.sessionId === sessionId) where.removeItem(PREFIX + NEW);
  }
}

// Removes what nobody has come back to, with the files that were uploaded for it.
export function dropOldDrafts() {
  for (const key of Object.keys(localStorage).filter((name) => name.startsWith(PREFIX))) {
    const { files = [], at = 0 } = read(localStorage, key) ?? {};
    if (Date.now() - at < LONGEST_MS) continue;
    localStorage.removeItem(key);
    for (const { id } of files.filter((file) => !file.lasting)) request(`documents/${id}`, { method: "DELETE" }).catch(() => {});
  }
}

function read(where, key) {
  try { return JSON.parse(where.getItem(key)); } catch { return null; }
}
