// What is done with conversations: read, gone on with, renamed, exported, imported, branched, deleted.
import { emptyAnswer } from "./answer_events.js";
import { ApiError, getBlob, getJson, sendJson, sessionPath } from "./api.js";
import { choose, keepChoices } from "./choices.js";
import { draftOf, forgetDraft, keepDraft } from "./drafts.js";
import { t } from "./i18n.js";
import { takePersona } from "./personas.js";
import { plainName } from "./safe_name.js";
import { saveAs } from "./save_as.js";
import { refreshSessions } from "./session_list.js";
import { openSession } from "./sessions.js";
import { tellOthers } from "./step.js";
import { notify, set, state } from "./store.js";
import { fetchBefore, fetchEnd, fetchFrom, fetchThrough, merged, mergedByPlace } from "./transcript.js";
import { followRun } from "./turns.js";

// Shows the end of the open conversation, or what is around one of its messages.
export async function showEnd(id, messageId) {
  const { persona, temporary, ...end } = messageId ? await fetchThrough(id, messageId) : await fetchEnd(id);
  if (state.sessionId !== id) return;
  set({ ...end, aim: messageId });
  if (temporary) choose("temporary", true);
  takePersona(persona);
  if (!messageId) resume(id);
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

export async function reloadSession(id) {
  const { messages, persona, temporary, ...end } = await fetchFrom(id, state.earlier);
  if (state.sessionId !== id || state.running) return;
  set({ ...end, messages: (temporary ? mergedByPlace : merged)(state.messages, messages) });
  takePersona(persona);
  resume(id);
}

// Leaves the open conversation, which is no longer there: deleted elsewhere, or a temporary one that has ended.
export async function leaveGone(id) {
  if (state.sessionId !== id) return;
  const { temporary } = state.choices;
  const { text } = draftOf(id);
  forgetDraft(id);
  keepChoices(id, {});
  await openSession(null);
  if (!temporary && text && !draftOf(state.sessionId).text) keepDraft(state.sessionId, { text });
  notify(t(temporary ? "endedTemporary" : "deletedElsewhere"));
  refreshSessions();
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
  const { sessionId: id, earlier: before } = state;
  try {
    const { messages, earlier } = await fetchBefore(id, before);
    if (state.sessionId === id && state.earlier === before) set({ messages: [...messages, ...state.messages], earlier });
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
    tellOthers(id, true);
    forgetDraft(id);
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
