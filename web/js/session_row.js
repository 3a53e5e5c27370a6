// One conversation of the list, with its menu.
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { Dialog } from "./dialog.js";
import { t } from "./i18n.js";
import { Icon, IconButton } from "./icons.js";
import { plainName } from "./safe_name.js";
import { deleteSession, exportSession, openSession, renameSession } from "./sessions.js";
import { memo } from "./store.js";

export const SessionRow = memo(({ session, current }) => {
  const [mode, setMode] = useState("");
  const menu = useRef(null);
  const title = plainName(session.title) || t("untitled");
  const back = () => { setMode(""); setTimeout(() => menu.current?.focus()); };
  if (mode === "rename") return html`<${Rename} id=${session.session_id} title=${title} onEnd=${back} />`;
  return html`
    <li class=${current ? "current" : ""}>
      <button type="button" class="session" aria-current=${current ? "page" : null} title=${title} onClick=${() => openSession(session.session_id)}>
        <span dir="auto">${title}</span><time>${when(session.last_activity)}</time></button>
      <${Menu} session=${session} title=${title} button=${menu} setMode=${setMode} />
      ${mode === "delete" && html`<${Confirm} session=${session} title=${title} onEnd=${() => setMode("")} />`}
    </li>`;
});

function Rename({ id, title, onEnd }) {
  const box = useRef(null);
  useEffect(() => { box.current.focus(); box.current.select(); }, []);
  const save = (event) => {
    event.preventDefault();
    const name = box.current.value.trim();
    if (name && name !== title) renameSession(id, name);
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

// A menu as assistive technology expects it: arrows move, Escape and Tab close, the focus goes back to the button.
function Menu({ session, title, button, setMode }) {
  const popup = useRef(null);
  const [open, setOpen] = useState(false);
  const id = session.session_id;
  const items = [
    ["rename", () => setMode("rename")],
    ["exportMarkdown", () => exportSession(id, title, "markdown")],
    ["exportJson", () => exportSession(id, title, "json")],
    ["remove", () => setMode("delete")],
  ];
  // A press on the button closes an open menu by itself; the click that follows must not open it again.
  const wasOpen = useRef(false);
  const press = () => { wasOpen.current = popup.current.matches(":popover-open"); };
  const click = () => {
    if (!wasOpen.current) show(popup.current, button.current);
    wasOpen.current = false;
  };
  const key = (event) => {
    const all = [...popup.current.querySelectorAll("button")];
    const at = all.indexOf(document.activeElement);
    const to = { ArrowDown: (at + 1) % all.length, ArrowUp: (at - 1 + all.length) % all.length, Home: 0, End: all.length - 1 }[event.key];
    if (to !== undefined) { event.preventDefault(); all[to].focus(); }
    if (event.key === "Tab") popup.current.hidePopover();
  };
  const choose = (action) => { popup.current.hidePopover(); action(); };
  return html`
    <button type="button" ref=${button} class="icon" aria-haspopup="menu" aria-expanded=${open} aria-label=${t("actionsOf", { name: title })} title=${t("actions")}
      onPointerDown=${press} onClick=${click}><${Icon} name="more" /></button>
    <div ref=${popup} class="popup" popover="auto" role="menu" aria-label=${title} onToggle=${(event) => setOpen(event.newState === "open")} onKeyDown=${key}>
      ${items.map(([name, action]) => html`<button key=${name} type="button" role="menuitem" tabindex="-1" class=${name === "remove" ? "danger" : ""} onClick=${() => choose(action)}>${t(name)}</button>`)}
    </div>`;
}

function show(popup, button) {
  popup.showPopover();
  const place = button.getBoundingClientRect();
  popup.style.top = `${Math.min(place.bottom + 4, innerHeight - popup.offsetHeight - 8)}px`;
  popup.style.left = `${Math.max(8, place.right - popup.offsetWidth)}px`;
  popup.querySelector("button").focus();
}

function when(value) {
  if (!value) return "";
  const date = new Date(value);
  const today = new Date().toDateString() === date.toDateString();
  return date.toLocaleString(document.documentElement.lang, today ? { hour: "2-digit", minute: "2-digit" } : { month: "short", day: "numeric" });
}
