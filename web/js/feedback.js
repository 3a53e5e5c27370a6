// A vote on an answer: kept at once, and more said about it where the user likes.
import { sendJson } from "./api.js";
import { t } from "./i18n.js";
import { Icon } from "./icons.js";
import { html, useRef, useState } from "./preact.js";
import { notify, set, state } from "./store.js";

const REASONS = ["too_long", "too_short", "wrong", "not_found", "no_source", "tone", "ask_back", "wrong_tool"];
const LABELS = { up: "goodAnswer", down: "badAnswer" };

export function Feedback({ message }) {
  const [open, setOpen] = useState(false);
  const thumbs = useRef(null);
  const given = message.feedback;
  const vote = (choice) => {
    const back = given?.vote === choice;
    send(message, { vote: back ? null : choice, comment: given?.comment ?? "", consent: given?.consent ?? false }).then((kept) => setOpen(kept && !back));
  };
  const close = () => {
    setOpen(false);
    thumbs.current.querySelector("[aria-pressed=true]")?.focus();
  };
  return html`
    <span class="thumbs" ref=${thumbs}>${Object.keys(LABELS).map((choice) => html`
      <button type="button" class="quiet" key=${choice} aria-pressed=${given?.vote === choice} aria-label=${t(LABELS[choice])} title=${t(LABELS[choice])} onClick=${() => vote(choice)}><${Icon} name=${`thumb_${choice}`} /></button>`)}
      ${given && !open && html`<button type="button" class="quiet" aria-label=${t("voteMore")} title=${t("voteMore")} onClick=${() => setOpen(true)}>…</button>`}
    </span>
    ${open && given && html`<${More} message=${message} close=${close} />`}`;
}

function More({ message, close }) {
  const { vote, reasons, comment, consent } = message.feedback;
  const save = (event) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const said = { vote, reasons: fields.getAll("reasons"), comment: fields.get("comment"), consent: fields.has("consent") };
    send(message, said).then((kept) => { if (kept) close(); });
  };
  return html`<form class="feedback" aria-label=${t("voteMore")} onSubmit=${save} onKeyDown=${(event) => { if (event.key === "Escape") { event.stopPropagation(); close(); } }}>
    ${vote === "down" && html`<fieldset><legend>${t("whatWasWrong")}</legend>${REASONS.map((reason) => html`
      <label key=${reason}><input type="checkbox" name="reasons" value=${reason} defaultChecked=${reasons.includes(reason)} /> ${t(`reason-${reason}`)}</label>`)}</fieldset>`}
    <textarea name="comment" rows="2" maxlength="2000" aria-label=${t("voteComment")} placeholder=${t("voteComment")} dir="auto" defaultValue=${comment}></textarea>
    <label><input type="checkbox" name="consent" defaultChecked=${consent} /> ${t("voteConsent")}</label>
    <div class="buttons"><button type="button" onClick=${close}>${t("cancel")}</button><button type="submit" class="strong">${t("save")}</button></div>
  </form>`;
}

// Returns whether the vote was kept; the message then carries it.
async function send({ messageId, key }, said) {
  try {
    const { feedback } = await sendJson("feedback", { session_id: state.sessionId, message_id: messageId, ...said });
    set({ messages: state.messages.map((item) => (item.key === key ? { ...item, feedback } : item)) });
    return true;
  } catch (error) {
    notify(error);
    return false;
  }
}
