// Talks to the server: JSON calls, uploads, and streams that survive a dropped connection.
import { t } from "./i18n.js";

const BASE = "api/v1";
let key = localStorage.getItem("apiKey") ?? "";

export const apiKey = () => key;

export function setApiKey(value) {
  key = value.trim();
  localStorage.setItem("apiKey", key);
}

export class ApiError extends Error {
  constructor(status, body) {
    super(body?.message ?? t("offline"));
    this.status = status;
    this.code = body?.code ?? "offline";
    this.remedy = body?.remedy ?? "";
  }
}

function headers(more = {}) {
  return { "accept-language": document.documentElement.lang, ...(key ? { authorization: `Bearer ${key}` } : {}), ...more };
}

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(`${BASE}/${path}`, { ...options, headers: headers(options.headers) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, null);
  }
  if (!response.ok) {
    const body = await response.json().catch(() => null);
    throw new ApiError(response.status, body?.error);
  }
  return response;
}

export async function getJson(path, options) {
  return (await request(path, options)).json();
}

export function sendJson(path, body, method = "POST") {
  return getJson(path, { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } });
}

export async function getBlob(path, options) {
  return (await request(path, options)).blob();
}

export function speak(text) {
  const body = JSON.stringify({ text, format: "mp3" });
  return getBlob("tts", { method: "POST", body, headers: { "content-type": "application/json" } });
}

// Uploads one file with progress; resolves to its attachment.
export function upload(file, sessionId, onProgress) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append("session_id", sessionId);
    form.append("file", file, file.name);
    const call = new XMLHttpRequest();
    call.open("POST", `${BASE}/documents`);
    for (const [name, value] of Object.entries(headers())) call.setRequestHeader(name, value);
    call.upload.onprogress = (event) => onProgress(event.total ? event.loaded / event.total : 0);
    call.onerror = () => reject(new ApiError(0, null));
    call.onload = () => {
      let body = null;
      try { body = JSON.parse(call.responseText); } catch { /* not JSON: reported as offline below */ }
      if (call.status >= 300 || !body) reject(new ApiError(call.status, body?.error));
      else resolve((Array.isArray(body) ? body : body.documents ?? [body])[0]);
    };
    call.send(form);
  });
}

// Yields {id, event, data} of a run until its one terminal event, reconnecting from the last id as often as it takes.
// `open` starts the run; with `runId` an existing run is followed instead.
export async function* follow({ body, runId, signal, onConnection = () => {} }) {
  let last = null;
  let failures = 0;
  for (;;) {
    try {
      const response = runId && (last !== null || !body)
        ? await request(`runs/${runId}/stream`, { signal, headers: last === null ? {} : { "last-event-id": last } })
        : await request("chat/stream", { method: "POST", signal, body: JSON.stringify(body), headers: { "content-type": "application/json" } });
      if (failures) onConnection(true);
      for await (const item of parse(response.body, signal)) {
        failures = 0;
        if (item.id) last = item.id;
        if (item.event === "run") runId = item.data.run_id;
        yield item;
        if (item.event === "done" || item.event === "error") return;
      }
    } catch (error) {
      if (error.name === "AbortError" || (error instanceof ApiError && error.status >= 400 && error.status < 500)) throw error;
      if (!runId) throw error;
    }
    if (!runId) throw new ApiError(0, null);
    body = null;
    failures += 1;
    onConnection(false);
    await new Promise((resolve) => setTimeout(resolve, Math.min(500 * 2 ** failures, 8000)));
  }
}

async function* parse(stream, signal) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  signal?.addEventListener("abort", () => reader.cancel().catch(() => {}), { once: true });
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    buffer += value.replace(/\r\n?/g, "\n");
    let end;
    while ((end = buffer.indexOf("\n\n")) >= 0) {
      const item = parseEvent(buffer.slice(0, end));
      buffer = buffer.slice(end + 2);
      if (item) yield item;
    }
  }
}

function parseEvent(text) {
  const item = { id: null, event: "message", data: [] };
  for (const line of text.split("\n")) {
    if (line.startsWith(":")) continue;
    const at = line.indexOf(":");
    const name = at < 0 ? line : line.slice(0, at);
    const value = at < 0 ? "" : line.slice(at + 1).replace(/^ /, "");
    if (name === "data") item.data.push(value);
    else if (name === "id" || name === "event") item[name] = value;
  }
  if (!item.data.length) return null;
  return { ...item, data: JSON.parse(item.data.join("\n")) };
}
