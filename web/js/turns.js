// Turns: asked, followed, stopped, asked again.
import { applyEvent, emptyAnswer } from "./answer_events.js";
import { getJson, sendJson, sessionPath } from "./api.js";
import { t } from "./i18n.js";
import { follow, pause } from "./run_stream.js";
import { endParts, playPart, stopPlaying } from "./playback.js";
import { keepDraft } from "./drafts.js";
import { refreshSessions, showInAddress } from "./session_list.js";
import { keepInStep, tellOthers } from "./step.js";
import { switchTo } from "./temporary.js";
import { newId, notify, set, state } from "./store.js";
import { fetchEnd, placed } from "./transcript.js";

const LOOKS_FOR_RUN = 3;
// The server writes a question down while the model is already thinking.
const LISTED_MS = 300;

let turnEnded = () => {};
export const onTurnEnd = (action) => { turnEnded = action; };

export async function sendNow(text, attachments) {
  const { sessionId, choices: { temporary } } = state;
  if (await keepInStep()) {
    // What was to be said in a conversation that is gone begins the next one.
    if (temporary) switchTo(true);
    keepDraft(state.sessionId, { text });
  }
  if (state.sessionId !== sessionId) return;
  const last = state.messages.at(-1)?.messageId;
  const place = last && !state.running ? { parent_message_id: last } : {};
  ask({ message: text, attachment_ids: attachments.map((item) => item.id), ...place }, { text, attachments }, state.messages);
}

// Another version of a question, at its place; the first one stays with what followed it.
export function edit(message, text) {
  const attachment_ids = message.attachments.map((item) => item.id).filter(Boolean);
  const { attachments, parentId, versions } = message;
  ask({ message: text, attachment_ids, parent_message_id: parentId ?? "root" }, { text, attachments, parentId, versions }, before(message));
}

// Another version of an answer.
export function regenerate(answer) {
  const question = state.messages[state.messages.findIndex((item) => item.key === answer.key) - 1];
  answerAgain(question);
}

// The answer to a question that is there: another one, or the first where its server was killed.
export function answerAgain(question) {
  ask({ parent_message_id: question.messageId }, { ...question, state: "done" }, before(question));
}

// A question that did not reach the server is sent again.
export function retry(answer) {
  const at = state.messages.indexOf(answer);
  const question = state.messages[at - 1];
  const attachment_ids = question.attachments.map((item) => item.id).filter(Boolean);
  ask({ message: question.text, attachment_ids }, question, state.messages.slice(0, at - 1));
}

const before = (message) => state.messages.slice(0, state.messages.findIndex((item) => item.key === message.key));

function ask(body, asked, kept) {
  const sessionId = state.sessionId;
  const question = { key: newId(), role: "user", attachments: [], runId: null, ...asked };
  const answer = emptyAnswer();
  set({ messages: [...kept, question, answer] });
  showInAddress(sessionId);
  const full = { ...body, persona: "", ...state.choices, time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone ?? "", session_id: sessionId, ...(state.speakAnswers && { speak: true }) };
  followRun({ body: full }, sessionId, answer.key, question.key);
}

const change = (key, make) => set({ messages: state.messages.map((item) => (item.key === key ? make(item) : item)) });

// Shows the events of a run in the answer `key` until the run is over.
export async function followRun(start, sessionId, key, questionKey) {
  const abort = new AbortController();
  const here = () => state.running?.abort === abort;
  const onRun = (runId) => {
    if (!here()) return;
    set({ running: { ...state.running, runId } });
    if (state.running.stopping) stop();
    change(questionKey, (question) => ({ ...question, runId: question.runId ?? runId }));
  };
  const onConnection = (connected) => here() && set({ connected });
  stopPlaying();
  set({ running: { runId: start.runId ?? null, sessionId, abort }, selected: null, source: null });
  try {
    await take({ ...start, signal: abort.signal, onRun, onConnection }, key, here, questionKey);
  } catch (error) {
    if (!here()) return;
    if (error.status === 404 && state.running.runId) await showStored(sessionId, error);
    else change(key, (answer) => ({ ...answer, ...(error.name === "AbortError" ? { state: "stopped" } : { state: "error", error }) }));
  }
  if (!here()) return;
  endParts();
  set({ running: null, connected: true });
  refreshSessions();
  tellOthers(sessionId);
  const shown = state.messages;
  const known = await placed(sessionId, shown).catch(() => shown);
  if (state.messages === shown) set({ messages: known });
  turnEnded(sessionId);
  showRemembered(key);
}

// What a turn leaves in memory is looked for when its answer is there.
async function showRemembered(key) {
  const answer = state.messages.find((message) => message.key === key);
  if (!answer?.messageId || answer.state !== "done") return;
  const { memories } = await getJson(`memories?past=true&run_id=${answer.runId}`).catch(() => ({ memories: [] }));
  if (memories.length) change(key, (shown) => ({ ...shown, remembered: memories.toReversed() }));
}

// The run is no longer known: what the conversation says of it counts.
async function showStored(sessionId, error) {
  const end = await fetchEnd(sessionId).catch(() => null);
  if (!end || state.sessionId !== sessionId) return;
  const last = end.messages.at(-1);
  if (last?.role === "user") end.messages.push({ ...emptyAnswer(last.runId), state: "error", error });
  const { persona: _, temporary: __, ...shown } = end;
  set(shown);
}

async function take(start, key, here, questionKey) {
  const known = new Set(state.messages.map((item) => item.runId).filter(Boolean));
  try {
    await takeEvents(start, key, here);
  } catch (error) {
    // The question was sent, but nothing came back: the server may have it all the same.
    if (error.status !== 0 || !start.body || !here()) throw error;
    const runId = await findRun(known, start);
    if (!runId) throw error;
    change(questionKey, (question) => ({ ...question, runId }));
    await takeEvents({ ...start, body: null, runId }, key, here);
  }
}

async function takeEvents(start, key, here) {
  for await (const { event, data } of follow(start)) {
    if (!here()) return;
    if (event === "audio") playPart(data);
    else change(key, (answer) => applyEvent(answer, event, data));
    if (event === "waiting") tellOthers(state.sessionId);
    if (event === "run" && data.state === "running") setTimeout(refreshSessions, LISTED_MS);
    if (event === "gap") notify(t("gap"));
  }
}

async function findRun(known, { body, signal, onConnection }) {
  for (let i = 1; i <= LOOKS_FOR_RUN && !signal.aborted; i += 1) {
    onConnection(false);
    await pause(500 * i, signal);
    try {
      const { messages } = await getJson(sessionPath(body.session_id, "?newest=true&limit=2"), { signal });
      const asked = messages.at(-1);
      if (asked && !known.has(asked.run_id)) return asked.run_id;
    } catch (error) {
      if (error.status === 404) continue;
      if (error.status !== 0) throw error;
    }
  }
  return null;
}

export async function stop() {
  stopPlaying();
  const { runId, abort, stopping } = state.running ?? {};
  // Before the server has said which run it is, this waits for that; whoever asks twice does not wait.
  if (!runId && stopping) abort.abort();
  else if (state.running) set({ running: { ...state.running, stopping: true } });
  if (!runId) return;
  try { await sendJson(`runs/${runId}/stop`, {}); } catch (error) { notify(error); }
}
