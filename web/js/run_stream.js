// Follows a run over Server-Sent Events. A dropped connection is taken up again where it broke.
import { ApiError, jsonBody, request } from "./api.js";

const SILENCE_MS = 25_000;  // the server says something at least every 10 s
const LONGEST_WAIT_MS = 8_000;

// Yields {id, event, data} up to and with the one terminal event; a run that waits for an answer is followed on, for
// another tab may give it. With `body` a new run is started, with `runId` a
// run is followed from its first event. `onConnection(false)` says that the connection is being tried again.
export async function* follow({ body, runId, signal, onRun = () => {}, onConnection = () => {} }) {
  let last = 0;
  let failures = 0;
  let starting = Boolean(body);
  for (;;) {
    try {
      const response = starting ? await request("chat/stream", { ...jsonBody(body), signal })
        : await request(`runs/${runId}/stream`, { signal, headers: last ? { "last-event-id": String(last) } : {} });
      starting = false;
      runId = response.headers.get("x-run-id") ?? runId;
      onRun(runId);
      if (failures) onConnection(true);
      for await (const item of parse(response.body, signal)) {
        failures = 0;
        if (item.id && item.id <= last) continue;
        last = item.id || last;
        yield item;
        if (item.event === "done" || item.event === "error") return;
        if (item.event === "waiting") failures = -1;  // the stream rests here by itself
      }
    } catch (error) {
      if (error.name === "AbortError" || signal.aborted || starting) throw error;
      if (error.status >= 400 && error.status < 500 && error.status !== 429) throw error;
    }
    if (signal.aborted) return;
    if (!runId) throw new ApiError(0, null);
    failures += 1;
    if (failures > 1) onConnection(false);
    await pause(Math.min(250 * 2 ** failures, LONGEST_WAIT_MS), signal);
  }
}

// Waits, but no longer than until the browser is online again.
export function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const end = () => { clearTimeout(timer); removeEventListener("online", end); resolve(); };
    const timer = setTimeout(end, milliseconds);
    addEventListener("online", end);
    signal?.addEventListener("abort", end, { once: true });
  });
}

async function* parse(stream, signal) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  const cancel = () => reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  let buffer = "";
  try {
    for (;;) {
      const timer = setTimeout(cancel, SILENCE_MS);
      const { value, done } = await reader.read().finally(() => clearTimeout(timer));
      if (done) return;
      buffer += value.replaceAll("\r", "");
      let end;
      while ((end = buffer.indexOf("\n\n")) >= 0) {
        const item = parseEvent(buffer.slice(0, end));
        buffer = buffer.slice(end + 2);
        if (item) yield item;
      }
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

function parseEvent(text) {
  const item = { id: 0, event: "message" };
  const data = [];
  for (const line of text.split("\n")) {
    const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name === "data") data.push(value);
    else if (name === "id") item.id = Number(value);
    else if (name === "event") item.event = value;
  }
  return data.length ? { ...item, data: JSON.parse(data.join("\n")) } : null;
}
