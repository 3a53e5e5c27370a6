// The list of conversations.
import { html } from "./preact.js";
import { t } from "./i18n.js";
import { Icon, IconButton } from "./icons.js";
import { refreshSessions } from "./session_list.js";
import { SessionRow } from "./session_row.js";
import { importSession, openSession } from "./sessions.js";
import { closeMenu, memo, set } from "./store.js";

const TYPING_MS = 200;
let searching;

export const Sidebar = memo(({ sessions, sessionId, query, open, menu }) => {
  const search = (event) => {
    set({ query: event.target.value });
    clearTimeout(searching);
    searching = setTimeout(refreshSessions, TYPING_MS);
  };
  const choose = (event) => {
    const [file] = event.target.files;
    if (file) importSession(file);
    event.target.value = "";
  };
  const start = () => { openSession(null); document.getElementById("message-box")?.focus(); };
  return html`
    <nav class="sidebar" aria-label=${t("sessions")} inert=${!open}>
      <div class="bar">
        <button type="button" class="primary" onClick=${start}><${Icon} name="plus" /> ${t("newChat")}</button>
        <label class="icon file-button" title=${t("importJson")}><${Icon} name="import" />
          <input type="file" accept="application/json,.json" aria-label=${t("importJson")} onChange=${choose} /></label>
        ${menu && html`<${IconButton} icon="close" class="only-narrow" label=${t("close")} onClick=${closeMenu} />`}
      </div>
      <input type="search" placeholder=${t("search")} aria-label=${t("search")} value=${query} onInput=${search} />
      ${sessions.length ? "" : html`<p class="quiet">${t(query ? "noMatch" : "noSessions")}</p>`}
      <ul>${sessions.map((session) => html`<${SessionRow} key=${session.session_id} session=${session} current=${session.session_id === sessionId} word=${t("rename")} />`)}</ul>
    </nav>`;
});
