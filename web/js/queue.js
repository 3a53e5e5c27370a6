// Messages that were written while an answer runs: sent one by one when it is over.
import { t } from "./i18n.js";
import { IconButton } from "./icons.js";
import { html } from "./preact.js";
import { newId, set, state } from "./store.js";
import { isUsable, onTurnEnd, sendNow, stop } from "./turns.js";

// Sends a message now, or when the running answer is over; as set, that answer is stopped for it.
export function send(text) {
  const attachments = state.files.filter(isUsable).map((file) => file.attachment);
  set({ files: [] });
  if (!state.running) { sendNow(text, attachments); return; }
  set({ queued: [...state.queued, { key: newId(), sessionId: state.sessionId, text, attachments }] });
  if (state.whenBusy === "interrupt") stop();
}

onTurnEnd((sessionId) => {
  const next = state.queued.find((item) => item.sessionId === sessionId);
  if (!next || state.sessionId !== sessionId) return;
  set({ queued: state.queued.filter((item) => item !== next) });
  sendNow(next.text, next.attachments);
});

export function Queued({ queued, sessionId }) {
  const mine = queued.filter((item) => item.sessionId === sessionId);
  if (!mine.length) return "";
  const remove = (item) => set({ queued: state.queued.filter((other) => other !== item) });
  return html`<ul class="choices queued" aria-label=${t("queuedMessages")}>${mine.map((item) => html`
    <li key=${item.key} class="chip"><bdi class="name">${item.text || item.attachments.map((file) => file.name).join(", ")}</bdi>
      <${IconButton} icon="close" label=${t("takeBack", { name: item.text })} onClick=${() => remove(item)} /></li>`)}</ul>`;
}
