// The page that a link opens: a conversation as it was when it was shared. It knows no key and keeps nothing.
import { clickedText } from "./js/clicked_text.js";
import { loadWords, t } from "./js/i18n.js";
import { Markdown } from "./js/markdown_view.js";
import { Notices } from "./js/notices.js";
import { html, render, useEffect, useState } from "./js/preact.js";
import { plainName } from "./js/safe_name.js";
import { applyPreferences, notify, state, useStore } from "./js/store.js";

const HERE = location.pathname.replace(/\/$/, "");
const date = (time) => new Date(time).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

async function fetchShown() {
  const response = await fetch(`${HERE}/conversation`, { credentials: "omit", headers: { "accept-language": document.documentElement.lang } });
  const body = await response.json().catch(() => null);
  if (!response.ok || !body) throw Object.assign(new Error(body?.error?.message ?? t("offline")), { remedy: body?.error?.remedy });
  return body;
}

function Shared() {
  const store = useStore();
  const [shown, setShown] = useState(null);
  useEffect(() => { fetchShown().then(setShown, notify); }, []);
  const title = plainName(shown?.title) || t("untitled");
  useEffect(() => { if (shown) document.title = title; }, [shown]);
  return html`
    <main class="shared">
      ${shown && html`<h1 dir="auto">${title}</h1>
        <p class="quiet">${t("sharedOn", { date: date(shown.shared_at) })} · ${t("opensUntil", { date: date(shown.expires_at) })}</p>
        ${shown.messages.map((message, i) => html`<${Message} key=${i} message=${message} />`)}`}
    </main>
    <${Notices} store=${store} />`;
}

const Message = ({ message }) => (message.role === "user"
  ? html`<article class="question" aria-label=${t("you")}><${Files} files=${message.files} />${message.text && html`<div class="bubble" dir="auto">${message.text}</div>`}</article>`
  : html`<article class="answer" aria-label=${t("assistant")} onClick=${clicked}>
      <${Markdown} text=${message.text} citations=${message.quotes} growing=${false} />
      ${message.state === "stopped" && html`<p class="mark">${t("stopped")}</p>`}${message.state === "error" && html`<p class="mark">${t("failed")}</p>`}
      <${Files} files=${message.files} /><${Quotes} quotes=${message.quotes} /></article>`);

const Files = ({ files }) => files.length > 0 && html`<div class="given">${files.map((file, i) => (file.number === undefined
  ? html`<span class="chip" key=${i}><bdi class="name">${plainName(file.name) || t("document")}</bdi></span>`
  : html`<a class="chip" key=${i} href=${`${HERE}/files/${file.number}`} download=${plainName(file.name)}><bdi class="name">${plainName(file.name) || t("document")}</bdi></a>`))}</div>`;

const Quotes = ({ quotes }) => quotes.length > 0 && html`<details class="quotes"><summary>${t("sources")}</summary>
  <ol>${quotes.map((item, i) => html`<li key=${i} data-quote=${item.number} tabindex="-1"><small>[${item.number}] <bdi>${plainName(item.name)}</bdi>${item.page ? ` · ${t("page", { page: item.page })}` : ""}</small>
    <blockquote dir="auto">${item.quote}</blockquote></li>`)}</ol></details>`;

function clicked(event) {
  const cite = event.target.closest?.("[data-cite]");
  const quote = cite && event.currentTarget.querySelector(`[data-quote="${cite.dataset.cite}"]`);
  if (quote) {
    quote.closest("details").open = true;
    quote.focus();
  }
  clickedText(event);
}

applyPreferences();
await loadWords(state.language, true);
const root = document.getElementById("app");
root.replaceChildren();
render(html`<${Shared} />`, root);
