// What a user says of their vote beyond it: reasons, a comment, whether the turn may be replayed.
import { t } from "./i18n.js";
import { html } from "./preact.js";

const REASONS = ["too_long", "too_short", "wrong", "not_found", "no_source", "tone", "ask_back", "wrong_tool"];

export function VoteForm({ given: { vote, reasons, comment, consent }, send, close }) {
  const save = (event) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const said = { vote, reasons: fields.getAll("reasons"), comment: fields.get("comment"), consent: fields.has("consent") };
    send(said).then((kept) => { if (kept) close(); });
  };
  const leave = (event) => { if (event.key === "Escape") { event.stopPropagation(); close(); } };
  return html`<div class="feedback" role="group" aria-label=${t("voteMore")}><form onSubmit=${save} onKeyDown=${leave}>
    ${vote === "down" && html`<fieldset><legend>${t("whatWasWrong")}</legend>${REASONS.map((reason) => html`
      <label key=${reason}><input type="checkbox" name="reasons" value=${reason} defaultChecked=${reasons.includes(reason)} /> ${t(`reason-${reason}`)}</label>`)}</fieldset>`}
    <textarea name="comment" rows="2" maxlength="2000" aria-label=${t("voteComment")} placeholder=${t("voteComment")} dir="auto" defaultValue=${comment}></textarea>
    <label><input type="checkbox" name="consent" defaultChecked=${consent} /> ${t("voteConsent")}</label>
    <div class="buttons"><button type="button" onClick=${close}>${t("cancel")}</button><button type="submit" class="strong">${t("save")}</button></div>
  </form></div>`;
}
