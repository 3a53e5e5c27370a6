// The list of conversations.
import { html, useState } from "../vendor/htm-preact.js";
import { getBlob } from "./api.js";
import { t } from "./i18n.js";
import { deleteSession, importSession, notify, openSession, refreshSessions, renameSession, set } from "./state.js";

let searching;

export function Sidebar({ store }) {
  const search = (event) => {
    set({ query: event.target.value });
    clearTimeout(searching);
    searching = setTimeout(refreshSessions, 200);
  };
  return html`
    <nav class="sidebar" aria-label=${t("sessions")}>
      <div class="bar">
        <button type="button" class="primary" onClick=${() => openSession(null)}>＋ ${t("newChat")}</button>
        <label class="icon file-button" title=${t("importJson")}>⇪
          <input type="file" accept="application/json,.json" aria-label=${t("importJson")} onChange=${(event) => event.target.files[0] && importSession(event.target.files[0])} />
        </label>
      </div>
      <input type="search" placeholder=${t("search")} aria-label=${t("search")} value=${store.query} onInput=${search} />
      ${store.sessions.length ? "" : html`<p class="quiet">${t("noSessions")}</p>`}
      <ul>${store.sessions.map((session) => html`<${Session} key=${session.session_id} session=${session} current=${session.session_id === store.sessionId} />`)}</ul>
    </nav>
    <div class="shade" onClick=${() => set({ menu: false })}></div>`;
}

function Session({ session, current }) {
  const [mode, setMode] = useState("");
  const id = session.session_id;
  const title = session.title || t("untitled");
  const save = (event) => { event.preventDefault(); renameSession(id, event.target.title.value); setMode(""); };
  if (mode === "rename") {
    return html`<li><form onSubmit=${save}>
      <input name="title" value=${title} aria-label=${t("rename")} autofocus maxlength="200" onKeyDown=${(e) => e.key === "Escape" && setMode("")} />
      <button type="submit" class="icon" aria-label=${t("save")}>✓</button></form></li>`;
  }
  if (mode === "delete") {
    return html`<li class="confirm" role="alertdialog" aria-label=${t("confirmDelete")}><span>${t("confirmDelete")}</span>
      <button type="button" class="danger" onClick=${() => deleteSession(id)}>${t("yes")}</button>
      <button type="button" onClick=${() => setMode("")}>${t("cancel")}</button></li>`;
  }
  return html`
    <li class=${current ? "current" : ""}>
      <button type="button" class="session" aria-current=${current ? "page" : null} onClick=${() => openSession(id)}>
        <span>${title}</span><time>${when(session.updated_at ?? session.last_activity)}</time></button>
      <details class="more"><summary aria-label=${`${t("details")}: ${title}`}>⋮</summary>
        <div class="popup">
          <button type="button" onClick=${() => setMode("rename")}>${t("rename")}</button>
          <button type="button" onClick=${() => save_as(id, "markdown", `${title}.md`)}>${t("exportMarkdown")}</button>
          <button type="button" onClick=${() => save_as(id, "json", `${title}.json`)}>${t("exportJson")}</button>
          <button type="button" class="danger" onClick=${() => setMode("delete")}>${t("remove")}</button>
        </div></details>
    </li>`;
}

async function save_as(id, format, name) {
  try {
    const blob = await getBlob(`sessions/${encodeURIComponent(id)}/export?format=${format}`);
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name.replace(/[\\/:*?"<>|]/g, "_") });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  } catch (error) { notify(error); }
}

function when(value) {
  if (!value) return "";
  const date = new Date(value);
  const today = new Date().toDateString() === date.toDateString();
  return date.toLocaleString(document.documentElement.lang, today ? { hour: "2-digit", minute: "2-digit" } : { month: "short", day: "numeric" });
}
