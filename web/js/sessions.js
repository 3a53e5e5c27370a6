// Conversations: listed, opened, renamed, exported, imported, branched, deleted.
import { emptyAnswer } from "./answer_events.js";
import { ApiError, getBlob, getHealth, getJson, sendJson, sessionPath } from "./api.js";
import { choicesOf } from "./choices.js";
import { t } from "./i18n.js";
import { plainName } from "./safe_name.js";
import { isShown, refreshSessions, sessionInAddress, showInAddress } from "./session_list.js";
import { applyPreferences, newId, notify, restoreLayer, set, state } from "./store.js";
import { fetchBefore, fetchEnd } from "./transcript.js";
import { followRun } from "./turns.js";

export async function start() {
  applyPreferences();
  addEventListener("popstate", goTo);
  history.replaceState(null, "");
  await Promise.all([refreshHealth(), loadGraph(), refreshSessions(), openSession(sessionInAddress())]);
}

// Back and forward: a panel opens or closes, or another conversation is shown.
async function goTo(event) {
  if (!isShown()) await openSession(sessionInAddress());
  restoreLayer(event.state);
}

export async function refreshHealth() {
  try { set({ health: await getHealth() }); } catch (error) { notify(error); }
}

async function loadGraph() {
  try { set({ graph: await getJson("graph") }); } catch (error) { notify(error); }
}

export async function openSession(id) {
  if (state.running) {
    state.running.abort.abort();
    refreshSessions();
  }
  const cleared = { messages: [], earlier: 0, files: [], running: null, panel: null, selected: null, source: null, menu: false, connected: true };
  set({ sessionId: id ?? newId(), choices: choicesOf(id), ...cleared, loading: Boolean(id) });
  showInAddress(id);
  if (!id) return;
  try {
    const end = await fetchEnd(id);
    if (state.sessionId === id) { set(end); resume(id); }
  } catch (error) {
    if (error.status !== 404) notify(error);
  } finally {
    if (state.sessionId === id) set({ loading: false });
  }
}

// Goes on with an answer that is still being written.
function resume(id) {
  const last = state.messages.at(-1);
  if (last?.role !== "user" || !last.runId) return;
  const answer = emptyAnswer(last.runId);
  set({ messages: [...state.messages, answer] });
  followRun({ runId: last.runId }, id, answer.key);
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
    const made = await sendJson(sessionPath(state.sessionId, "/branch"), { run_id: message.runId });
    await openSession(made.session_id);
    notify(t("branched"));
    await refreshSessions();
  } catch (error) { notify(error); }
}

export async function renameSession(id, title) {
  try {
    await sendJson(sessionPath(id), { title }, "PATCH");
    await refreshSessions();
  } catch (error) { notify(error); }
}

export async function deleteSession(id) {
  try {
    const receipt = await getJson(sessionPath(id), { method: "DELETE" });
    if (id === state.sessionId) await openSession(null);
    set({ receipt });
    await refreshSessions();
  } catch (error) { notify(error); }
}

export async function importSession(file) {
  try {
    const { title, messages } = readTranscript(await file.text());
    const made = await sendJson("sessions/import", { title: title || plainName(file.name), messages });
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

export function saveAs(blob, name) {
  const href = URL.createObjectURL(blob);
  Object.assign(document.createElement("a"), { href, download: plainName(name).replace(/[\\/:*?"<>|]/g, "_") }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
