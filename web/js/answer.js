// An answer: its text, what happened on the way, and what can be done with it.
import { html, useState } from "./preact.js";
import { clickedText } from "./clicked_text.js";
import { copyText } from "./clipboard.js";
import { Feedback } from "./feedback.js";
import { FileStates } from "./file_states.js";
import { nodeName, t } from "./i18n.js";
import { useLoaded } from "./lazy.js";
import { MadeFiles } from "./made_files.js";
import { Markdown } from "./markdown_view.js";
import { readAloud, stopPlaying } from "./playback.js";
import { branch } from "./session_actions.js";
import { Calls, Steps } from "./steps.js";
import { memo, openPanel, state } from "./store.js";
import { regenerate, retry } from "./turns.js";
import { Versions } from "./versions.js";

const MARKS = { stopped: "stopped", interrupted: "interrupted", rolled_back: "rolledBack" };

export const Answer = memo(({ message, busy, selected }) => {
  const running = message.state === "running";
  const { error } = message;
  const Approvals = useLoaded(message.state === "waiting", () => import("./approval.js").then((module) => module.Approvals));
  // The server says the same of a stopped answer in a warning, in the language of the question.
  const warnings = MARKS[message.state] ? message.warnings.slice(0, -1) : message.warnings;
  return html`
    <article data-message=${message.messageId} class="answer ${selected ? "selected" : ""}" aria-label=${t("assistant")} aria-busy=${running}>
      <${FileStates} files=${message.attachments} live=${!running} />
      <${Steps} message=${message} />
      <div onClick=${(event) => clicked(event, message)}><${Markdown} text=${message.text} citations=${message.citations} growing=${running} /></div>
      <${MadeFiles} files=${message.artifacts} />
      ${running && html`<${Calls} message=${message} from=${message.steps.at(-1)} /><${Progress} message=${message} />`}
      ${Approvals && html`<${Approvals} message=${message} busy=${busy} />`}
      ${MARKS[message.state] && html`<p class="mark">${t(MARKS[message.state])}</p>`}
      ${error && html`<p class="mark error" role="alert" dir="auto">${sentences(error.message, error.remedy)}</p>`}
      ${[["recalled", message.memories], ["remembered", message.remembered]].map(([word, items]) => (items ?? []).map((item) => html`
        <button type="button" class="quiet memory" key=${item.id} dir="auto" onClick=${() => openPanel("memories")}>${t(word, { text: item.text })}</button>`))}
      ${warnings.map((text, i) => html`<p class="mark" key=${i} dir="auto">${text}</p>`)}
      ${!running && message.state !== "waiting" && html`<${Actions} message=${message} busy=${busy} />`}
    </article>`;
});

const sentences = (...parts) => parts.filter(Boolean).map((part) => (/[.!?。！？]$/.test(part) ? part : `${part}${/[\u4e00-\u9fff]$/.test(part) ? "。" : "."}`)).join(" ");

function clicked(event, message) {
  const cite = event.target.closest?.("[data-cite]");
  if (cite) {
    // The n-th marker of a number stands for its n-th quote.
    const markers = [...event.currentTarget.querySelectorAll(`[data-cite="${cite.dataset.cite}"]`)];
    const quotes = message.citations.filter((item) => String(item.number) === cite.dataset.cite);
    openPanel("sources", { selected: message.key, source: quotes[Math.min(markers.indexOf(cite), quotes.length - 1)] ?? null });
  }
  clickedText(event);
}

function Progress({ message }) {
  const active = [...new Set(message.nodes.filter((node) => node.state === "start").map((node) => nodeName(node.name, state.graph)))];
  return html`<p class="progress"><span class="dot"></span> ${active.join(", ") || t("thinking")}</p>`;
}

function Actions({ message, busy }) {
  const [copied, setCopied] = useState(false);
  const { usage, citations } = message;
  const open = () => openPanel("sources", { selected: message.key, source: null });
  const steps = () => openPanel("details", { selected: message.key });
  return html`
    <div class="actions">
      <${Versions} message=${message} busy=${busy} />
      ${citations.length > 0 && html`<button type="button" class="quiet strong" onClick=${open}>${t("sources")} (${citations.length})</button>`}
      ${message.text && html`<button type="button" class="quiet" onClick=${() => copyText(message.text, setCopied)}>${t(copied ? "copied" : "copy")}</button><${Speak} text=${message.text} />`}
      ${message.messageId && !busy && html`<button type="button" class="quiet" onClick=${() => regenerate(message)}>${t("regenerate")}</button>
        <button type="button" class="quiet" onClick=${() => branch(message)}>${t("branch")}</button>`}
      ${(message.error || (message.state === "stopped" && !message.text)) && !message.messageId && !busy && html`<button type="button" class="quiet strong" onClick=${() => retry(message)}>${t("retry")}</button>`}
      ${(message.tools.length > 0 || message.nodes.length > 0) && html`<button type="button" class="quiet" onClick=${steps}>${t("details")}</button>`}
      ${usage?.model && html`<span class="usage">${usage.model} · ${t("tokens", { input: usage.input_tokens, output: usage.output_tokens })}</span>`}
      ${message.messageId && html`<${Feedback} message=${message} />`}
    </div>`;
}

function Speak({ text }) {
  const [playing, setPlaying] = useState(false);
  const click = () => {
    if (playing) { stopPlaying(); return; }
    readAloud(text, () => setPlaying(false));
    setPlaying(true);
  };
  return html`<button type="button" class="quiet" aria-pressed=${playing} onClick=${click}>${t(playing ? "stopSpeaking" : "speak")}</button>`;
}
