// A conversation of which nothing is kept: chosen before its first message, told for as long as it lasts.
import { keepChoices } from "./choices.js";
import { draftOf, forgetDraft, keepDraft } from "./drafts.js";
import { t } from "./i18n.js";
import { Icon } from "./icons.js";
import { html } from "./preact.js";
import { newId, set, state } from "./store.js";

// It is another conversation from then on: what the server knows of the one before is of the other kind.
export function switchTo(temporary) {
  const before = state.sessionId;
  const sessionId = newId();
  const { temporary: _, ...others } = state.choices;
  const choices = temporary ? { ...others, temporary } : others;
  const { text } = draftOf(before);
  forgetDraft(before);
  keepChoices(before, {});
  keepChoices(sessionId, choices);
  keepDraft(sessionId, { text, files: [] });
  set({ sessionId, choices });
}

export function TemporarySwitch({ on, withFiles }) {
  if (withFiles && !on) return "";
  return html`<div class="temporary">
    <label class="check"><input type="checkbox" role="switch" checked=${on} disabled=${withFiles} onChange=${(event) => switchTo(event.target.checked)} /> ${t("temporary")}</label>
    ${on && html`<p class="quiet">${t("temporaryHint")} ${withFiles && t("temporaryFiles")}</p>`}
  </div>`;
}

export function TemporaryNote({ sessionId }) {
  return html`<div class="temporary-note" role="note"><${Icon} name="temporary" /> <span><strong>${t("temporary")}</strong> ${t("temporaryHint")}</span>
    <button type="button" class="quiet" onClick=${() => state.talk.deleteSession(sessionId)}>${t("endTemporary")}</button></div>`;
}
