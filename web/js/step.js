// Keeps what is shown in step with the conversation: other tabs and devices go on with it, too.
import { state } from "./store.js";
import { hasMoved } from "./transcript.js";

// How long what is shown counts as what is there.
const FRESH_MS = 5_000;

let looked = 0;
let reload = async () => {};
let leave = async () => {};

// Other tabs of this browser tell at once when a turn has ended, and when a conversation is gone.
const others = new BroadcastChannel("turns");

// `onMoved(id)` loads a conversation anew, `onGone(id)` leaves one that is no longer there.
export function startStep(onMoved, onGone) {
  [reload, leave] = [onMoved, onGone];
  others.onmessage = ({ data: { sessionId, gone } }) => { if (sessionId === state.sessionId) (gone ? leave(sessionId) : keepInStep(true)); };
  addEventListener("focus", () => keepInStep(true));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) keepInStep(true); });
}

export function tellOthers(sessionId, gone = false) {
  looked = Date.now();
  others.postMessage({ sessionId, gone });
}

// Looks whether the conversation has gone on elsewhere, and loads it anew then. Resolves to whether it is gone.
export async function keepInStep(now = false) {
  const { sessionId, messages, earlier, running, loading, choices } = state;
  if (!messages.length || running || loading || (!now && Date.now() - looked < FRESH_MS)) return false;
  looked = Date.now();
  try {
    if (await hasMoved(sessionId, messages, earlier, choices.temporary) && state.messages === messages) await reload(sessionId);
  } catch (error) {
    // Offline, it is told when something is done.
    const gone = error.status === 404 && state.messages === messages && wasThere(messages, choices.temporary);
    if (gone) await leave(sessionId);
    return gone;
  }
  return false;
}

// Whether the server has ever held some of it: what failed at once is on this page alone.
const wasThere = (messages, temporary) => messages.some((message) => message.messageId || (temporary && message.role === "assistant" && message.state !== "error"));
