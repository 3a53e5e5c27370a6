// A vote on an answer: kept at once; the form to say more of it is loaded when it is opened.
import { sendJson } from "./api.js";
import { t } from "./i18n.js";
import { Icon } from "./icons.js";
import { html, useRef, useState } from "./preact.js";
import { notify, set, state } from "./store.js";

const LABELS = { up: "goodAnswer", down: "badAnswer" };
let Form = null;

export function Feedback({ message }) {
  const [open, setOpen] = useState(false);
  const thumbs = useRef(null);
  const given = message.feedback;
  const more = () => import("./vote_form.js").then(({ VoteForm }) => { Form = VoteForm; setOpen(true); }, notify);
  const vote = async (choice) => {
    const back = given?.vote === choice;
    const kept = await send(message, { vote: back ? null : choice, comment: given?.comment ?? "", consent: given?.consent ?? false });
    if (kept && back) setOpen(false);
    else if (kept) more();
  };
  const close = () => {
    setOpen(false);
    thumbs.current.querySelector("[aria-pressed=true]")?.focus();
  };
  return html`
    <span class="thumbs" ref=${thumbs}>${Object.keys(LABELS).map((choice) => html`
      <button type="button" class="quiet" key=${choice} aria-pressed=${given?.vote === choice} aria-label=${t(LABELS[choice])} title=${t(LABELS[choice])} onClick=${() => vote(choice)}><${Icon} name=${`thumb_${choice}`} /></button>`)}
      ${given && !open && html`<button type="button" class="quiet" aria-label=${t("voteMore")} title=${t("voteMore")} onClick=${more}>…</button>`}
    </span>
    ${open && given && html`<${Form} key=${given.vote} given=${given} send=${(said) => send(message, said)} close=${close} />`}`;
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
