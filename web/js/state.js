// What the page knows, and everything that changes it. Components only read `state` and call these functions.
import { useEffect, useState } from "../vendor/htm-preact.js";
import { ApiError, follow, getJson, sendJson, upload } from "./api.js";
import { setLanguage, t } from "./i18n.js";

const stored = (name, fallback) => localStorage.getItem(name) ?? fallback;

export const state = {
  language: stored("language", navigator.language?.startsWith("zh") ? "zh" : "en"),
  theme: stored("theme", "auto"),
  systemPrompt: stored("systemPrompt", ""),
  health: null,
  sessions: [],
  query: "",
  sessionId: null,
  messages: [],      // {role, text, runId, state, attachments, citations, tools, usage, warnings, reasoning, error, nodes}
  files: [],         // uploads of the message being written: {key, name, status, progress, attachment, error}
  running: null,     // {runId, sessionId, abort}
  connected: true,
  panel: null,       // null | "sources" | "activity" | "graph" | "settings"
  selected: null,    // index of the message whose details are shown
  source: null,      // {citation} opened in the sources panel
  menu: false,
  notice: null,      // {text, kind}
  receipt: null,
};

const listeners = new Set();

export function set(changes) {
  Object.assign(state, changes);
  for (const listener of listeners) listener();
}

export function useStore() {
  const [, update] = useState(0);
  useEffect(() => {
    let frame = 0;
    const listener = () => { frame ||= requestAnimationFrame(() => { frame = 0; update((n) => n + 1); }); };
    listeners.add(listener);
    return () => { listeners.delete(listener); cancelAnimationFrame(frame); };
  }, []);
  return state;
}

export function prefer(name, value) {
  localStorage.setItem(name, value);
  set({ [name]: value });
  applyPreferences();
}

function applyPreferences() {
  setLanguage(state.language);
  document.title = t("title");
  if (state.theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = state.theme;
}

export function notify(error) {
  if (error?.name === "AbortError") return;
  const text = error instanceof ApiError ? [error.message, error.remedy].filter(Boolean).join(" ") : String(error?.message ?? error);
  set({ notice: { text, kind: error instanceof Error ? "error" : "info" } });
}

export async function start() {
  applyPreferences();
  set({});
  addEventListener("popstate", () => openSession(sessionInAddress()));
  await Promise.all([refreshHealth(), refreshSessions()]);
  await openSession(sessionInAddress());
}

const sessionInAddress = () => new URLSearchParams(location.search).get("s");

export async function refreshHealth() {
  try { set({ health: await getJson("health") }); } catch (error) { notify(error); }
}

export async function refreshSessions() {
  try {
    const query = state.query ? `&query=${encodeURIComponent(state.query)}` : "";
    const body = await getJson(`sessions?limit=100${query}`);
    set({ sessions: body.sessions ?? body });
  } catch (error) { notify(error); }
}

export const newId = () => crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

export async function openSession(id) {
  state.running?.abort.abort();
  set({ sessionId: id ?? newId(), messages: [], files: [], running: null, selected: null, source: null, menu: false, receipt: null });
  if (!id) { history.replaceState(null, "", location.pathname); return; }
  if (sessionInAddress() !== id) history.pushState(null, "", `?s=${encodeURIComponent(id)}`);
  await loadMessages(id);
}

async function loadMessages(id) {
  try {
    const body = await getJson(`sessions/${encodeURIComponent(id)}?limit=200`);
    if (state.sessionId !== id) return;
    set({ messages: body.messages.map(fromTranscript) });
  } catch (error) {
    if (error.status !== 404) notify(error);
  }
  const runId = sessionStorage.getItem(`run:${id}`);
  if (runId && state.sessionId === id) await resume(id, runId);
}

const fromTranscript = (m) => ({ ...m, text: m.text ?? m.content ?? "", runId: m.run_id ?? m.runId });

// A reload in the middle of an answer: follow the run from its first event.
async function resume(sessionId, runId) {
  const known = state.messages.findIndex((m) => m.role === "assistant" && m.runId === runId);
  if (known >= 0 && state.messages[known].state !== "running") { sessionStorage.removeItem(`run:${sessionId}`); return; }
  const answer = { role: "assistant", text: "", runId, state: "running", attachments: [], citations: [], tools: [], nodes: [] };
  const asked = sessionStorage.getItem(`asked:${sessionId}`);
  const messages = known >= 0 ? state.messages.filter((_, i) => i !== known) : [...state.messages];
  const hasQuestion = messages.some((m) => m.role === "user" && m.runId === runId);
  if (!hasQuestion && asked) messages.push({ role: "user", text: asked, runId, attachments: [] });
  set({ messages: [...messages, answer] });
  await run({ runId }, sessionId, answer);
}

export async function addFiles(files) {
  const limits = state.health?.limits ?? {};
  for (const file of files) {
    if (limits.max_file_bytes && file.size > limits.max_file_bytes) {
      notify(new Error(t("tooLarge", { name: file.name, limit: Math.floor(limits.max_file_bytes / 1048576) })));
      continue;
    }
    const entry = { key: newId(), name: file.name || "clipboard.png", status: "uploading", progress: 0 };
    set({ files: [...state.files, entry] });
    uploadOne(file, entry);
  }
}

async function uploadOne(file, entry) {
  const change = (changes) => { Object.assign(entry, changes); set({ files: [...state.files] }); };
  try {
    const attachment = await upload(new File([file], entry.name, { type: file.type }), state.sessionId, (progress) => change({ progress }));
    change({ attachment, status: attachment.status, error: attachment.error });
    await watch(attachment.id, change);
  } catch (error) { change({ status: "failed", error: { message: error.message, remedy: error.remedy } }); }
}

async function watch(id, change) {
  for (let wait = 300; id && state.files.some((f) => f.attachment?.id === id); wait = Math.min(wait * 1.5, 3000)) {
    const attachment = await getJson(`documents/${id}`);
    change({ attachment, status: attachment.status, error: attachment.error });
    if (attachment.status === "ready" || attachment.status === "failed") return;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

export const removeFile = (key) => set({ files: state.files.filter((file) => file.key !== key) });

export async function send(text) {
  const files = state.files.filter((file) => file.attachment && file.attachment.id);
  if (state.running || (!text.trim() && !files.length)) return;
  const body = { message: text, session_id: state.sessionId, attachment_ids: files.map((file) => file.attachment.id) };
  set({ files: [] });
  await ask(body, files.map((file) => file.attachment));
}

async function ask(body, attachments = []) {
  if (state.systemPrompt.trim()) body.system_prompt = state.systemPrompt;
  const sessionId = state.sessionId;
  const question = { role: "user", text: body.message, attachments };
  const answer = { role: "assistant", text: "", state: "running", attachments: [], citations: [], tools: [], nodes: [] };
  set({ messages: [...state.messages, question, answer] });
  sessionStorage.setItem(`asked:${sessionId}`, body.message);
  if (sessionInAddress() !== sessionId) history.pushState(null, "", `?s=${encodeURIComponent(sessionId)}`);
  await run({ body }, sessionId, answer, question);
}

async function run(start, sessionId, answer, question) {
  const abort = new AbortController();
  set({ running: { runId: start.runId ?? null, sessionId, abort }, selected: state.messages.indexOf(answer) });
  try {
    for await (const item of follow({ ...start, signal: abort.signal, onConnection: (connected) => set({ connected }) })) {
      take(item, answer, sessionId, question);
      if (state.sessionId === sessionId) set({ messages: [...state.messages] });
    }
  } catch (error) {
    if (error.name !== "AbortError") {
      answer.state = "error";
      answer.error = { message: error.message, remedy: error.remedy };
    }
  }
  if (state.running?.abort === abort) set({ running: null, connected: true });
  refreshSessions();
}

function take({ event, data }, answer, sessionId, question) {
  const handlers = {
    run() {
      answer.runId = data.run_id;
      if (question) question.runId = data.run_id;
      sessionStorage.setItem(`run:${sessionId}`, data.run_id);
      if (state.running) state.running.runId = data.run_id;
    },
    node() {
      const known = answer.nodes.find((node) => node.id === data.id);
      if (known) Object.assign(known, data);
      else answer.nodes.push({ ...data });
      if (data.name === "generate_answer" && data.state === "start") answer.text = "";
    },
    token() { answer.text += data.text; },
    attachment() {
      const at = answer.attachments.findIndex((a) => a.id === data.id && a.name === data.name);
      if (at >= 0) answer.attachments[at] = data;
      else answer.attachments.push(data);
    },
    tool() {
      const open = answer.tools.findLast?.((tool) => tool.name === data.name && tool.status === "running");
      if (open && data.status !== "running") Object.assign(open, data);
      else answer.tools.push({ ...data });
    },
    citation() { answer.citations.push(data); },
    usage() { answer.usage = data; },
    warning() { answer.warnings = [...(answer.warnings ?? []), data.message ?? String(data)]; },
    gap() { notify(t("gap")); },
    done() {
      Object.assign(answer, { text: data.answer, citations: data.citations, usage: data.usage, warnings: data.warnings, state: data.state ?? "done" });
      if (data.attachments?.length) answer.attachments = data.attachments;
      if (data.tools?.length) answer.tools = data.tools;
      sessionStorage.removeItem(`run:${sessionId}`);
    },
    error() {
      const error = data.error ?? data;
      Object.assign(answer, { state: "error", error });
      sessionStorage.removeItem(`run:${sessionId}`);
    },
  };
  handlers[event]?.();
}

export async function stop() {
  const runId = state.running?.runId;
  if (!runId) { state.running?.abort.abort(); return; }
  try { await sendJson(`runs/${runId}/stop`, {}); } catch (error) { notify(error); }
}

// `kind` is "edit" or "regenerate": the server drops what came after that turn, and a run starts anew.
export async function redo(kind, message, text) {
  if (state.running) return;
  const sessionId = state.sessionId;
  try {
    const body = kind === "edit" ? { run_id: message.runId, message: text } : { run_id: message.runId };
    const started = await sendJson(`sessions/${encodeURIComponent(sessionId)}/${kind}`, body);
    const at = state.messages.findIndex((m) => m.role === "user" && m.runId === message.runId);
    const question = { ...state.messages[at], runId: started.run_id, text: text ?? state.messages[at].text };
    const answer = { role: "assistant", text: "", state: "running", runId: started.run_id, attachments: [], citations: [], tools: [], nodes: [] };
    set({ messages: [...state.messages.slice(0, at), question, answer] });
    sessionStorage.setItem(`run:${sessionId}`, started.run_id);
    await run({ runId: started.run_id }, sessionId, answer, question);
  } catch (error) { notify(error); }
}

export async function branch(message) {
  try {
    const made = await sendJson(`sessions/${encodeURIComponent(state.sessionId)}/branch`, { run_id: message.runId });
    await refreshSessions();
    await openSession(made.session_id);
  } catch (error) { notify(error); }
}

export async function renameSession(id, title) {
  try { await sendJson(`sessions/${encodeURIComponent(id)}`, { title }, "PATCH"); await refreshSessions(); } catch (error) { notify(error); }
}

export async function deleteSession(id) {
  try {
    const receipt = await sendJson("clear_current_chat_history", { session_id: id });
    sessionStorage.removeItem(`run:${id}`);
    if (id === state.sessionId) await openSession(null);
    set({ receipt });
    await refreshSessions();
  } catch (error) { notify(error); }
}

export async function importSession(file) {
  try {
    const made = await sendJson("sessions/import", JSON.parse(await file.text()));
    await refreshSessions();
    await openSession(made.session_id);
  } catch (error) { notify(error); }
}
