// One conversation of the list, with its menu.
import { html, useEffect, useRef, useState } from "./preact.js";
import { Dialog } from "./dialog.js";
import { distinctNames } from "./distinct.js";
import { t } from "./i18n.js";
import { IconButton } from "./icons.js";
import { Menu } from "./menu.js";
import { plainName } from "./safe_name.js";
import { changeSession, deleteSession, exportSession } from "./session_actions.js";
import { openSession } from "./sessions.js";
import { memo, notify } from "./store.js";

const titleOf = (session) => plainName(session.title) || t("untitled");

// What each conversation is to be called, by its id.
export const namesOf = (sessions) => distinctNames(sessions.map((session) => ({ id: session.session_id, name: titleOf(session) })));

export const SessionRow = memo(({ session, called, current, longest }) => {
  const [mode, setMode] = useState("");
  const [Sharing, setSharing] = useState(null);
  const menu = useRef(null);
  const title = titleOf(session);
  const id = session.session_id;
  const items = [
    ["rename", t("rename"), () => setMode("rename")],
    ["pin", t(session.pinned ? "unpin" : "pin"), () => changeSession(id, { pinned: !session.pinned })],
    ["archive", t(session.archived ? "unarchive" : "archive"), () => changeSession(id, { archived: !session.archived })],
    ...(longest > 0 ? [["share", t("share"), () => import("./share.js").then(({ Share }) => setSharing(() => Share), notify)]] : []),
    ["exportMarkdown", t("exportMarkdown"), () => exportSession(id, title, "markdown")],
    ["exportJson", t("exportJson"), () => exportSession(id, title, "json")],
    ["remove", t("remove"), () => setMode("delete"), true],
  ];
  const back = () => { setMode(""); setTimeout(() => menu.current?.focus()); };
  if (mode === "rename") return html`<${Rename} id=${session.session_id} title=${title} onEnd=${back} />`;
  return html`
    <li class=${current ? "current" : ""}>
      <button type="button" class="session" aria-current=${current ? "page" : null} title=${title} onClick=${() => openSession(session.session_id, session.message_id)}>
        <span class="line"><span dir="auto">${title}</span><time>${when(session.last_activity)}</time></span>
        ${session.excerpt && html`<small dir="auto">${session.excerpt}</small>`}</button>
      <${Menu} icon="more" label=${t("actionsOf", { name: called })} title=${t("actions")} name=${called} button=${menu} items=${items} />
      ${mode === "delete" && html`<${Confirm} session=${session} title=${title} onEnd=${() => setMode("")} />`}
      ${Sharing && html`<${Sharing} id=${id} title=${title} longest=${longest} onEnd=${() => setSharing(null)} />`}
    </li>`;
});

function Rename({ id, title, onEnd }) {
  const box = useRef(null);
  useEffect(() => { box.current.focus(); box.current.select(); }, []);
  const save = (event) => {
    event.preventDefault();
    const name = box.current.value.trim();
    if (name && name !== title) changeSession(id, { title: name });
    onEnd();
  };
  const key = (event) => { if (event.key === "Escape") { event.preventDefault(); onEnd(); } };
  return html`<li><form onSubmit=${save}>
    <input ref=${box} name="title" defaultValue=${title} aria-label=${t("rename")} maxlength="200" autocomplete="off" onKeyDown=${key} />
    <${IconButton} icon="save" type="submit" label=${t("save")} /></form></li>`;
}

function Confirm({ session, title, onEnd }) {
  const remove = () => { onEnd(); deleteSession(session.session_id); };
  return html`
    <${Dialog} label=${t("confirmDelete")} onClose=${onEnd}>
      <p dir="auto">${title}</p><p class="quiet">${t("deleteWhat")}</p>
      <div class="buttons"><button type="button" onClick=${onEnd}>${t("cancel")}</button>
        <button type="button" class="danger" onClick=${remove}>${t("remove")}</button></div>
    <//>`;
}

function when(value) {
  if (!value) return "";
  const date = new Date(value);
  const today = new Date().toDateString() === date.toDateString();
  return date.toLocaleString(document.documentElement.lang, today ? { hour: "2-digit", minute: "2-digit" } : { month: "short", day: "numeric" });
}
