// What waits for the reader's approval: what would be done, with which text, to whom; and the answer.
import { html, useState } from "./preact.js";
import { sendJson } from "./api.js";
import { t } from "./i18n.js";
import { plainName, plainText } from "./safe_name.js";
import { notify, state } from "./store.js";

export function Approvals({ message, busy }) {
  return html`<div class="approvals" role="group" aria-label=${t("approvals")}>${message.questions.map((question) => html`
    <${Approval} key=${question.id} question=${question} runId=${message.runId} disabled=${!busy} language=${state.language} />`)}</div>`;
}

const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 1));

function Approval({ question, runId, disabled }) {
  const [mode, setMode] = useState("");           // "", "edit" or "refuse"
  const [drafts, setDrafts] = useState({});
  const [reason, setReason] = useState("");
  const [sent, setSent] = useState(false);
  const title = question.titles[state.language];
  const entries = Object.entries(question.arguments);
  const answer = async (given) => {
    setSent(true);
    try {
      await sendJson(`runs/${runId}/answers`, { answers: { [question.id]: given } });
    } catch (error) { setSent(false); notify(error); }
  };
  const approve = (scope) => {
    const given = { decision: "approve", scope };
    if (mode === "edit") {
      try { given.arguments = edited(question.arguments, drafts); } catch { notify(new Error(t("notAValue"))); return; }
    }
    answer(given);
  };
  const refuse = (event) => { event.preventDefault(); answer({ decision: "refuse", reason: reason.trim() }); };
  const off = sent || disabled;
  return html`
    <div class="approval" role="group" aria-label=${title} aria-busy=${sent}>
      <h2>${t("asksFor", { title })}</h2>
      <p class="quiet" dir="auto">${question.reasons.join(" ")}</p>
      ${question.recipients.length > 0 && html`<p>${t("goesTo")} <strong>${question.recipients.map(plainName).join(", ")}</strong></p>`}
      ${question.preview && html`<p dir="auto">${plainText(question.preview)}</p>`}
      <dl>${entries.map(([name, value]) => html`<div key=${name}>
        <dt>${plainName(name)} <small>${originOf(question, name)}</small></dt>
        <dd>${mode === "edit"
          ? html`<textarea aria-label=${plainName(name)} rows="2" dir="auto" value=${drafts[name] ?? shown(value)} onInput=${(event) => setDrafts({ ...drafts, [name]: event.target.value })}></textarea>`
          : html`<pre dir="auto">${plainText(shown(value))}</pre>`}</dd></div>`)}</dl>
      ${mode === "refuse" ? html`
        <form class="bar" onSubmit=${refuse}>
          <input aria-label=${t("reason")} placeholder=${t("reason")} maxlength="1000" value=${reason} onInput=${(event) => setReason(event.target.value)} />
          <button type="submit" class="danger" disabled=${off}>${t("refuse")}</button>
          <button type="button" class="quiet" onClick=${() => setMode("")}>${t("cancel")}</button>
        </form>` : html`
        <div class="bar">
          <button type="button" class="primary" disabled=${off} onClick=${() => approve("once")}>${t("approveOnce")}</button>
          <button type="button" disabled=${off} onClick=${() => approve("session")} title=${patternOf(question)}>${t("approveSession")}</button>
          ${!state.choices.temporary && html`<button type="button" disabled=${off} onClick=${() => approve("pattern")} title=${patternOf(question)}>${t("approveAlways")}</button>`}
          ${entries.length > 0 && html`<button type="button" class="quiet" aria-pressed=${mode === "edit"} onClick=${() => setMode(mode === "edit" ? "" : "edit")}>${t("edit")}</button>`}
          <button type="button" class="danger" disabled=${off} onClick=${() => setMode("refuse")}>${t("refuse")}</button>
        </div>`}
      <details><summary>${t("whatPattern")}</summary><pre dir="auto">${patternOf(question)}</pre></details>
    </div>`;
}

// Values that are no text are edited as JSON.
function edited(values, drafts) {
  const pairs = Object.entries(values).map(([name, value]) => {
    if (!(name in drafts)) return [name, value];
    return [name, typeof value === "string" ? drafts[name] : JSON.parse(drafts[name])];
  });
  return Object.fromEntries(pairs);
}

// Where an argument comes from; of one with parts, each source once.
function originOf(question, name) {
  const own = question.origins.filter(({ argument }) => argument === name || argument.startsWith(`${name}.`) || argument.startsWith(`${name}[`));
  return [...new Set(own.map(({ kind, source }) => t(`origin-${kind}`, { source: plainName(source) }).trim()))].join(", ");
}

const patternOf = (question) =>
  [question.tool, ...Object.entries(question.pattern).map(([name, glob]) => `${plainName(name)} = ${plainName(glob)}`)].join("\n");
