// Messages that were written while an answer runs or the conversation loads: sent one by one when that is over.
// This tab keeps them until then, so that a reload loses none.
import { forgetDraft, isUsable } from "./drafts.js";
import { t } from "./i18n.js";
import { IconButton } from "./icons.js";
import { html, useEffect } from "./preact.js";
import { newId, set, state } from "./store.js";
import { onTurnEnd, sendNow, stop } from "./turns.js";

const MOST_SENT = 50;

// Sends a message now, or when the conversation is loaded and the running answer over; as set, that is stopped for it.
export function send(text) {
  const attachments = state.files.filter(isUsable).map((file) => file.attachment);
  set({ files: [] });
  forgetDraft(state.sessionId);
  if (!state.running && !state.loading) { sendNow(text, attachments); return; }
  keepQueue([...state.queued, { key: newId(), sessionId: state.sessionId, text, attachments }]);
  if (state.running && state.whenBusy === "interrupt") stop();
}

function keepQueue(queued) {
  set({ queued });
  if (queued.length) sessionStorage.setItem("queued", JSON.stringify(queued));
  else sessionStorage.removeItem("queued");
}

function sendNext(sessionId) {
  const next = state.queued.find((item) => item.sessionId === sessionId);
  if (!next || state.sessionId !== sessionId) return;
  keepQueue(state.queued.filter((item) => item !== next));
  if (isFirst(next.key)) sendNow(next.text, next.attachments);
  else sendNext(sessionId);
}

// A tab that was duplicated has the same queue: the tab that comes first sends.
function isFirst(key) {
  const sent = JSON.parse(localStorage.getItem("sent") ?? "[]");
  if (!sent.includes(key)) localStorage.setItem("sent", JSON.stringify([...sent, key].slice(-MOST_SENT)));
  return !sent.includes(key);
}

onTurnEnd(sendNext);

export function Queued({ queued, sessionId, loading }) {
  useEffect(() => { if (!loading && !state.running) sendNext(sessionId); }, [loading, sessionId]);
  const mine = queued.filter((item) => item.sessionId === sessionId);
  if (!mine.length) return "";
  const remove = (item) => keepQueue(state.queued.filter((other) => other !== item));
  return html`<ul class="choices queued" aria-label=${t("queuedMessages")}>${mine.map((item) => html`
    <li key=${item.key} class="chip"><bdi class="name">${item.text || item.attachments.map((file) => file.name).join(", ")}</bdi>
      <${IconButton} icon="close" label=${t("takeBack", { name: item.text })} onClick=${() => remove(item)} /></li>`)}</ul>`;
}
