// The list of conversations, and which of them the address names.
import { getJson } from "./api.js";
import { notify, set, state } from "./store.js";

export const sessionInAddress = () => new URLSearchParams(location.search).get("s");

let shown = null;

export const isShown = () => sessionInAddress() === shown;

export function showInAddress(id) {
  shown = id ?? null;
  const { panel, menu } = history.state ?? {};
  if (isShown() && !panel && !menu) return;
  // The menu that a conversation was chosen from is not a place to go back to.
  history[menu ? "replaceState" : "pushState"](null, "", id ? `?s=${encodeURIComponent(id)}` : location.pathname);
}

const PAGE = 50;
const MOST = 200;

const listOf = (more) => {
  const asked = new URLSearchParams({ query: state.query, ...(state.archived && { archived: "true" }), ...more });
  return getJson(`sessions?${asked}`);
};

let newest = 0;

// Loads the list again, as far as it was loaded; of several at once the last one counts, whichever is answered last.
export async function refreshSessions() {
  const { query, archived } = state;
  const number = ++newest;
  try {
    const { sessions, next } = await listOf({ limit: Math.min(MOST, Math.max(PAGE, state.sessions.length)) });
    if (number === newest && state.query === query && state.archived === archived) set({ sessions, moreSessions: next });
  } catch (error) { notify(error); }
}

let loadingMore = false;

export async function loadMoreSessions() {
  const { moreSessions: cursor, sessions: before } = state;
  if (!cursor || loadingMore) return;
  loadingMore = true;
  try {
    const { sessions, next } = await listOf({ cursor, limit: PAGE });
    if (state.sessions === before) set({ sessions: [...before, ...sessions], moreSessions: next });
  } catch (error) { notify(error); } finally { loadingMore = false; }
}

// Shows the conversations that were put away, or the others.
export function showArchived(archived) {
  set({ archived, sessions: [], moreSessions: null });
  refreshSessions();
}

// The list in groups: pinned ones, then by days, the newest first. Each is [name or date, conversations].
export function byDays(sessions) {
  const groups = [];
  for (const session of sessions) {
    const name = session.pinned ? "pinned" : dayOf(session.last_activity);
    if (groups.at(-1)?.[0] !== name) groups.push([name, []]);
    groups.at(-1)[1].push(session);
  }
  return groups;
}

function dayOf(time) {
  const start = new Date();
  start.setHours(0, 0, 0, 0);
  const days = Math.ceil((start - new Date(time)) / 86_400_000);
  if (days <= 0) return "today";
  if (days === 1) return "yesterday";
  return days <= 7 ? "lastWeek" : time.slice(0, 7);
}
