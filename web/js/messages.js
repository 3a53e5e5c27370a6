// The conversation, newest at the end; stays at the end while an answer grows, unless the reader has gone up.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./preact.js";
import { isBundled } from "./header.js";
import { t } from "./i18n.js";
import { Icon } from "./icons.js";
import { greetingOf } from "./personas.js";
import { TemporarySwitch } from "./temporary.js";

const NEAR_PX = 80;

export function Messages({ store }) {
  const { box, inner, away, toEnd } = useEnd(store.sessionId, store.messages[0]?.key, store.messages.length, store.running?.abort, store.aim);
  const last = store.messages.at(-1);
  const busy = Boolean(store.running);
  const { Answer, Question, loadEarlier } = store.talk ?? {};
  return html`
    <section class="messages" ref=${box} aria-label=${t("conversation")} tabindex="0" aria-busy=${store.loading}>
      <div class="column" ref=${inner}>
        ${store.earlier > 0 && html`<button type="button" class="earlier" onClick=${loadEarlier}>${t("earlier", { n: store.earlier })}</button>`}
        ${store.messages.length || store.loading ? "" : html`<${Welcome} store=${store} />`}
        ${store.talk && store.messages.map((message) => (message.role === "assistant"
          ? html`<${Answer} key=${message.key} message=${message} busy=${busy} language=${store.language} health=${store.health} graph=${store.graph} selected=${store.selected === message.key} />`
          : html`<${Question} key=${message.key} message=${message} busy=${busy} language=${store.language} />`))}
      </div>
    </section>
    ${away && html`<button type="button" class="icon to-end" aria-label=${t("toEnd")} title=${t("toEnd")} onClick=${toEnd}><${Icon} name="down" /></button>`}
    <p class="only-read" role="status">${busy ? t(last?.state === "waiting" ? "waiting" : "answering") : last?.role === "assistant" && last.nodes.length ? t("answered") : ""}</p>`;
}

// `asked`: what names the running turn; where it begins is shown. `aim`: id of a message to go to.
function useEnd(sessionId, firstKey, count, asked, aim) {
  const box = useRef(null);
  const inner = useRef(null);
  const [away, setAway] = useState(false);
  const memory = useRef({ atEnd: true, height: 0, top: 0, firstKey }).current;
  const follow = () => {
    box.current.scrollTop = box.current.scrollHeight;
    memory.top = box.current.scrollTop;
  };
  const toEnd = () => { memory.atEnd = true; follow(); setAway(false); };
  useEffect(() => {
    const scrolled = () => {
      const { scrollHeight, scrollTop, clientHeight } = box.current;
      // An answer may have grown since the box was scrolled: only who goes up has left the end.
      if (scrollHeight - scrollTop - clientHeight < NEAR_PX) memory.atEnd = true;
      else if (scrollTop < memory.top) memory.atEnd = false;
      memory.top = scrollTop;
      setAway(!memory.atEnd);
    };
    const grown = new ResizeObserver(() => { if (memory.atEnd) follow(); });
    box.current.addEventListener("scroll", scrolled, { passive: true });
    grown.observe(inner.current);
    grown.observe(box.current);
    return () => grown.disconnect();
  }, []);
  // What was being read stays in place when older messages come in above it.
  useLayoutEffect(() => {
    if (memory.firstKey !== firstKey && !memory.atEnd && memory.sessionId === sessionId) box.current.scrollTop += box.current.scrollHeight - memory.height;
    Object.assign(memory, { firstKey, sessionId, height: box.current.scrollHeight });
  });
  useEffect(toEnd, [sessionId]);
  useEffect(() => { if (count) toEnd(); }, [firstKey && count === 0, count > 0]);
  useEffect(() => { if (asked) toEnd(); }, [asked]);
  useEffect(() => {
    const article = aim && box.current.querySelector(`[data-message="${aim}"]`);
    if (!article) return;
    memory.atEnd = false;
    article.scrollIntoView({ block: "center" });
    article.classList.add("found");
  }, [aim]);
  return { box, inner, away, toEnd };
}

function Welcome({ store }) {
  const chat = store.health?.parts?.chat;
  const greeting = greetingOf(store);
  const choice = html`<${TemporarySwitch} on=${Boolean(store.choices.temporary)} withFiles=${store.files.length > 0} />`;
  if (greeting) return html`<div class="welcome"><p class="opening" dir="auto">${greeting}</p>${choice}</div>`;
  return html`<div class="welcome"><p>${t("empty")}</p>${choice}
    ${chat && isBundled(chat) && html`<p class="quiet">${t(chat.kind.startsWith("gguf") ? "bundledGguf" : "bundled")}</p>`}</div>`;
}
