// Conversations: listed, opened, renamed, exported, imported, branched, deleted.
import { emptyAnswer } from "./answer_events.js";
import { ApiError, getBlob, getHealth, getJson, sendJson, sessionPath } from "./api.js";
import { choicesOf, choose, keepChoices } from "./choices.js";
import { begunSession, dropOldDrafts } from "./drafts.js";
import { filesOf, leaveFiles, watchFiles } from "./files.js";
import { t } from "./i18n.js";
import { needPersonas, takePersona } from "./personas.js";
import { plainName } from "./safe_name.js";
import { saveAs } from "./save_as.js";
import { isShown, refreshSessions, sessionInAddress, showInAddress } from "./session_list.js";
import { startStep, tellOthers } from "./step.js";
import { applyPreferences, newId, notify, restoreLayer, set, state } from "./store.js";
import { fetchBefore, fetchEnd, fetchFrom, fetchThrough, merged, mergedByPlace } from "./transcript.js";
import { followRun } from "./turns.js";

export async function start() {
  applyPreferences();
  dropOldDrafts();
  startStep(reloadSession);
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
  leaveFiles();
  const sessionId = id ?? begunSession() ?? newId();
  const cleared = { messages: [], earlier: 0, title: "", aim: null, files: filesOf(sessionId), running: null, panel: null, selected: null, source: null, menu: false, connected: true };
  set({ sessionId, choices: choicesOf(sessionId), ...cleared, loading: Boolean(id) });
  needPersonas();
  showInAddress(id);
  watchFiles();
  if (!id) return;
  try {
    const { persona, temporary, ...end } = messageId ? await fetchThrough(id, messageId) : await fetchEnd(id);
    if (state.sessionId !== id) return;
    set({ ...end, aim: messageId });
    if (temporary) choose("temporary", true);
    takePersona(persona);
    if (!messageId) resume(id);
  } catch (error) {
    if (error.status !== 404) notify(error);
  } finally {
    if (state.sessionId === id) set({ loading: false });
  }
}

// Opens a conversation at what was said in one of its turns.
export async function openTurn(id, runId) {
  try {
    const { tree } = await getJson(sessionPath(id, "?tree=true&limit=1"));
    await openSession(id, tree.find((place) => place.run_id === runId)?.message_id);
  } catch (error) { notify(error); }
}

// Goes on with an answer that is still being written.
function resume(id) {
  const last = state.messages.at(-1);
  if (last?.role !== "user" || !last.runId || last.state === "interrupted") return;
  const answer = emptyAnswer(last.runId);
  set({ messages: [...state.messages, answer] });
  followRun({ runId: last.runId }, id, answer.key);
}

async function reloadSession(id) {
  const { messages, persona, temporary, ...end } = await fetchFrom(id, state.earlier);
  if (state.sessionId !== id || state.running) return;
  set({ ...end, messages: (temporary ? mergedByPlace : merged)(state.messages, messages) });
  takePersona(persona);
  resume(id);
}

// Shows another version of a message, with what came after that one.
export async function showVersion(messageId) {
  const id = state.sessionId;
  try {
    await sendJson(sessionPath(id), { current_message_id: messageId }, "PATCH");
    await reloadSession(id);
    tellOthers(id);
  } catch (error) { notify(error); }
}

export async function changeSession(id, changes) {
  try {
    await sendJson(sessionPath(id), changes, "PATCH");
    await refreshSessions();
  } catch (error) { notify(error); }
}

export async function loadEarlier() {
  const id = state.sessionId;
  try {
    const { messages, earlier } = await fetchBefore(id, state.earlier);
    if (state.sessionId === id) set({ messages: [...messages, ...state.messages], earlier });
  } catch (error) { notify(error); }
}

export async function branch(message) {
  try {
    const made = await sendJson(sessionPath(state.sessionId, "/branch"), { message_id: message.messageId });
    await openSession(made.session_id);
    notify(t("branched"));
    await refreshSessions();
  } catch (error) { notify(error); }
}

export async function deleteSession(id) {
  try {
    const receipt = await getJson(sessionPath(id), { method: "DELETE" });
    keepChoices(id, {});
    if (id === state.sessionId) await openSession(null);
    set({ receipt });
    await refreshSessions();
  } catch (error) { notify(error); }
}

export async function importSession(file) {
  try {
    const { title, messages, current_message_id } = readTranscript(await file.text());
    const made = await sendJson("sessions/import", { title: title || plainName(file.name), messages, ...(current_message_id && { current_message_id }) });
    await openSession(made.session_id);
    await refreshSessions();
  } catch (error) { notify(error); }
}

function readTranscript(text) {
  let value = null;
  try { value = JSON.parse(text); } catch { /* told below */ }
  if (!Array.isArray(value?.messages)) throw new ApiError(422, { message: t("notTranscript") });
  return value;
}

export async function exportSession(id, title, format) {
  try {
    const blob = await getBlob(sessionPath(id, `/export?format=${format}`));
    saveAs(blob, `${title}.${format === "json" ? "json" : "md"}`);
  } catch (error) { notify(error); }
}
