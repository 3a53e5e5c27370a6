// The start of the page, and conversations as they are opened.
import { getHealth, getJson } from "./api.js";
import { choicesOf } from "./choices.js";
import { begunSession, dropOldDrafts } from "./drafts.js";
import { t } from "./i18n.js";
import { loadTalk, withTalk } from "./lazy.js";
import { needPersonas } from "./personas.js";
import { isShown, refreshSessions, sessionInAddress, showInAddress } from "./session_list.js";
import { newId, notify, restoreLayer, set, state } from "./store.js";

export async function start() {
  dropOldDrafts();
  withTalk(({ startStep, reloadSession, leaveGone }) => startStep(reloadSession, leaveGone));
  addEventListener("popstate", goTo);
  const failed = new URLSearchParams(location.search).get("sign_in");
  history.replaceState(null, "", failed ? location.pathname : undefined);
  await Promise.all([refreshHealth(), refreshMe(), loadGraph(), refreshSessions(), openSession(sessionInAddress())]);
  if (failed) notify(new Error(t(failed === "sign_in_refused" ? "signInRefused" : "signInFailed")));
}

// Back and forward: a panel opens or closes, or another conversation is shown.
async function goTo(event) {
  if (!isShown()) await openSession(sessionInAddress());
  restoreLayer(event.state);
}

export async function refreshHealth() {
  try { set({ health: await getHealth() }); } catch (error) { notify(error); }
}

export async function refreshMe() {
  set({ me: await getJson("me").catch(() => null) });
}

async function loadGraph() {
  try { set({ graph: await getJson("graph") }); } catch (error) { notify(error); }
}

// Opens a conversation at its end, or at one of its messages.
export async function openSession(id, messageId = null) {
  if (state.running) {
    state.running.abort.abort();
    refreshSessions();
  }
  for (const file of state.files) file.abort.abort();  // what is uploaded stays with its draft
  const sessionId = id ?? begunSession() ?? newId();
  const cleared = { messages: [], earlier: 0, title: "", aim: null, files: [], running: null, panel: null, selected: null, source: null, menu: false, connected: true };
  set({ sessionId, choices: choicesOf(sessionId), ...cleared, loading: Boolean(id) });
  needPersonas();
  showInAddress(id);
  if (id) await showSession(id, messageId);
  else withTalk(({ takeFiles }) => takeFiles(sessionId));
}

async function showSession(id, messageId) {
  try {
    const { showEnd, takeFiles } = state.talk ?? await loadTalk();
    takeFiles(id);
    await showEnd(id, messageId);
  } catch (error) {
    if (error.status !== 404) notify(error);
    else if (state.sessionId === id && state.choices.temporary) await state.talk.leaveGone(id);
  } finally {
    if (state.sessionId === id) set({ loading: false });
  }
}
