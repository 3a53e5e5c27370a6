// The list of conversations.
import { html, useEffect, useRef } from "./preact.js";
import { t } from "./i18n.js";
import { Icon, IconButton } from "./icons.js";
import { withTalk } from "./lazy.js";
import { byDays, loadMoreSessions, refreshSessions, showArchived } from "./session_list.js";
import { newChat } from "./shortcuts.js";
import { closeMenu, memo, set } from "./store.js";

const TYPING_MS = 200;
let searching;

export const Sidebar = memo(({ talk, sessions, more, archived, sessionId, query, open, menu, language, longest }) => {
  const search = (event) => {
    set({ query: event.target.value });
    clearTimeout(searching);
    searching = setTimeout(refreshSessions, TYPING_MS);
  };
  const choose = (event) => {
    const [file] = event.target.files;
    if (file) withTalk(({ importSession }) => importSession(file));
    event.target.value = "";
  };
  const called = talk?.namesOf(sessions);
  return html`
    <nav class="sidebar" aria-label=${t("sessions")} inert=${!open}>
      <div class="bar">
        <button type="button" class="primary" onClick=${newChat}><${Icon} name="plus" /> ${t("newChat")}</button>
        <label class="icon file-button" title=${t("importJson")}><${Icon} name="import" />
          <input type="file" accept="application/json,.json" aria-label=${t("importJson")} onChange=${choose} /></label>
        ${menu && html`<${IconButton} icon="close" class="only-narrow" label=${t("close")} onClick=${closeMenu} />`}
      </div>
      <input type="search" placeholder=${t("find")} aria-label=${t("search")} value=${query} onInput=${search} />
      ${sessions.length ? "" : html`<p class="quiet">${t(query ? "noMatch" : archived ? "noArchived" : "noSessions")}</p>`}
      <div class="list">
        ${talk && byDays(sessions).map(([name, group]) => html`<section key=${name}><h3>${dayName(name, language)}</h3>
          <ul>${group.map((session) => html`<${talk.SessionRow} key=${session.session_id} session=${session} called=${called.get(session.session_id)} longest=${longest} current=${session.session_id === sessionId} language=${language} />`)}</ul></section>`)}
        ${talk && more && html`<${Rest} key=${more} />`}
      </div>
      <button type="button" class="quiet" aria-pressed=${archived} onClick=${() => showArchived(!archived)}>${t(archived ? "showOthers" : "showArchived")}</button>
    </nav>`;
});

const dayName = (name, language) => (/^\d/.test(name) ? new Date(`${name}-15`).toLocaleDateString(language, { year: "numeric", month: "long" }) : t(name));

// The end of what is loaded: the rest comes when it is scrolled to.
function Rest() {
  const mark = useRef(null);
  useEffect(() => {
    const seen = new IntersectionObserver(([entry]) => { if (entry.isIntersecting) loadMoreSessions(); });
    seen.observe(mark.current);
    return () => seen.disconnect();
  }, []);
  return html`<button type="button" class="quiet" ref=${mark} onClick=${loadMoreSessions}>${t("moreSessions")}</button>`;
}
