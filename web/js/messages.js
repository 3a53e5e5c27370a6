// The conversation: questions, answers as they are written, and what can be done with each.
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { speak } from "./api.js";
import { nodeName, t } from "./i18n.js";
import { enrich, toHtml } from "./markdown.js";
import { branch, notify, redo, set } from "./state.js";

export function Messages({ store }) {
  const box = useRef(null);
  const atEnd = useRef(true);
  const last = store.messages.at(-1);
  useEffect(() => { if (atEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight; }, [store.messages.length, last?.text, last?.state]);
  const scrolled = () => { const b = box.current; atEnd.current = b.scrollHeight - b.scrollTop - b.clientHeight < 60; };
  return html`
    <section class="messages" ref=${box} onScroll=${scrolled} role="log" aria-live="off" aria-label=${t("sessions")} tabindex="0">
      ${store.messages.length ? "" : html`<${Welcome} store=${store} />`}
      ${store.messages.map((message, index) => message.role === "user"
        ? html`<${Question} key=${index} message=${message} />`
        : html`<${Answer} key=${index} message=${message} index=${index} selected=${store.selected === index} />`)}
      <p class="only-read" role="status">${store.running ? t("answering") : last?.role === "assistant" ? t("newMessage") : ""}</p>
    </section>`;
}

function Welcome({ store }) {
  return html`<div class="welcome"><p>${t("empty")}</p>
    ${store.health?.parts?.chat?.kind === "reader" && html`<p class="quiet">${t("bundled")}</p>`}</div>`;
}

function Question({ message }) {
  const [editing, setEditing] = useState(false);
  const save = (event) => { event.preventDefault(); setEditing(false); redo("edit", message, event.target.text.value); };
  if (editing) {
    return html`<article class="question"><form onSubmit=${save}>
      <textarea name="text" rows="4" aria-label=${t("edit")} autofocus>${message.text}</textarea>
      <div class="actions"><button type="submit" class="primary">${t("send")}</button>
      <button type="button" onClick=${() => setEditing(false)}>${t("cancel")}</button></div></form></article>`;
  }
  return html`
    <article class="question" aria-label=${t("you")}>
      ${(message.attachments ?? []).map((file) => html`<span class="chip" key=${file.id}>${file.kind === "image" ? "🖼" : "📄"} ${file.name}</span>`)}
      <div class="bubble">${message.text}</div>
      ${message.runId && html`<div class="actions"><button type="button" class="quiet" onClick=${() => setEditing(true)}>${t("edit")}</button></div>`}
    </article>`;
}

function Answer({ message, index, selected }) {
  const body = useRef(null);
  const running = message.state === "running";
  useEffect(() => { if (body.current) enrich(body.current).catch(notify); }, [message.text, running]);
  const click = (event) => {
    const number = event.target.closest?.("[data-cite]")?.dataset.cite;
    if (!number) return;
    const citation = message.citations?.find((item) => String(item.number) === number);
    set({ selected: index, panel: "sources", source: citation ? { citation } : null });
  };
  const error = message.error;
  const stopped = ["stopped", "interrupted"].includes(message.state);
  return html`
    <article class="answer ${selected ? "selected" : ""}" aria-label=${t("assistant")} aria-busy=${running}>
      ${message.reasoning && html`<details class="reasoning"><summary>${t("reasoning")}</summary>${message.reasoning}</details>`}
      <${Attachments} files=${message.attachments} />
      <div class="markdown" ref=${body} onClick=${click} dangerouslySetInnerHTML=${{ __html: toHtml(message.text) }}></div>
      ${running && html`<${Progress} message=${message} />`}
      ${stopped && html`<p class="mark">${t("stopped")}</p>`}
      ${error && html`<p class="mark error" role="alert">${error.message} ${error.remedy}</p>`}
      ${(message.warnings ?? []).map((text, i) => html`<p class="mark" key=${i}>${text}</p>`)}
      ${!running && html`<${Actions} message=${message} index=${index} />`}
    </article>`;
}

function Attachments({ files }) {
  const shown = (files ?? []).filter((file) => file.status !== "ready");
  if (!shown.length) return "";
  return html`<ul class="file-states">${shown.map((file) => html`
    <li key=${file.id || file.name} class=${file.status}><strong>${file.name}</strong> ${file.status === "failed"
      ? `${file.error?.message ?? t("failed")} ${file.error?.remedy ?? ""}`
      : `${t(file.status)} ${file.pages_total ? t("pages", { done: file.pages_done ?? 0, total: file.pages_total }) : ""}`}
      ${file.pages_total > 0 && file.status !== "failed" && html`<progress max=${file.pages_total} value=${file.pages_done ?? 0}></progress>`}</li>`)}</ul>`;
}

function Progress({ message }) {
  const active = (message.nodes ?? []).filter((node) => node.state === "start").map((node) => nodeName(node.name));
  return html`<p class="progress"><span class="dot"></span> ${active.join(", ") || t("thinking")}</p>`;
}

function Actions({ message, index }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try { await navigator.clipboard.writeText(message.text); setCopied(true); setTimeout(() => setCopied(false), 1500); } catch (error) { notify(error); }
  };
  const usage = message.usage;
  return html`
    <div class="actions">
      <button type="button" class="quiet" onClick=${copy}>${t(copied ? "copied" : "copy")}</button>
      <${Speak} text=${message.text} />
      ${message.runId && html`<button type="button" class="quiet" onClick=${() => redo("regenerate", message)}>${t("regenerate")}</button>
        <button type="button" class="quiet" onClick=${() => branch(message)}>${t("branch")}</button>`}
      ${message.citations?.length > 0 && html`<button type="button" class="quiet" onClick=${() => set({ selected: index, panel: "sources", source: null })}>
        ${t("sources")} (${message.citations.length})</button>`}
      ${usage?.model && html`<span class="usage">${usage.model} · ${t("tokens", { input: usage.input_tokens, output: usage.output_tokens })}</span>`}
    </div>`;
}

function Speak({ text }) {
  const [playing, setPlaying] = useState(null);
  const end = () => setPlaying((audio) => { audio?.pause?.(); return null; });
  const start = async () => {
    setPlaying({});
    try {
      const audio = new Audio(URL.createObjectURL(await speak(text)));
      audio.onended = end;
      setPlaying(audio);
      await audio.play();
    } catch (error) { setPlaying(null); notify(error); }
  };
  return html`<button type="button" class="quiet" aria-pressed=${Boolean(playing)} onClick=${playing ? end : start}>${t(playing ? "stopSpeaking" : "speak")}</button>`;
}
