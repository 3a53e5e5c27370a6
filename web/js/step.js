// Keeps what is shown in step with the conversation: other tabs and devices go on with it, too.
import { state } from "./store.js";
import { hasMoved } from "./transcript.js";

// How long what is shown counts as what is there.
const FRESH_MS = 5_000;

let looked = 0;
let reload = async () => {};

// Other tabs of this browser tell at once when a turn has ended.
const others = new BroadcastChannel("turns");

export function startStep(action) {
  reload = action;
  others.onmessage = ({ data }) => { if (data === state.sessionId) keepInStep(true); };
  addEventListener("focus", () => keepInStep(true));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) keepInStep(true); });
}

export function tellOthers(sessionId) {
  looked = Date.now();
  others.postMessage(sessionId);
}

// Looks whether the conversation has gone on elsewhere, and loads it anew then.
export async function keepInStep(now = false) {
  const { sessionId, messages, earlier, running, loading, choices } = state;
  if (!messages.length || running || loading || (!now && Date.now() - looked < FRESH_MS)) return;
  looked = Date.now();
  try {
    if (await hasMoved(sessionId, messages, earlier, choices.temporary) && state.messages === messages) await reload(sessionId);
  } catch { /* offline or deleted: told when something is done */ }
}
