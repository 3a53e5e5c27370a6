// A menu as assistive technology expects it: arrows move, Escape and Tab close, the focus goes back to the button.
import { Icon } from "./icons.js";
import { html, useRef, useState } from "./preact.js";

// `items`: [name, label, action, danger]. `label` is read out, `title` shown on hover; `button` is a ref to the button.
export function Menu({ icon, label, title = label, name = label, items, button = useRef(null) }) {
  const popup = useRef(null);
  const [open, setOpen] = useState(false);
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
    <button type="button" ref=${button} class="icon" aria-haspopup="menu" aria-expanded=${open} aria-label=${label} title=${title}
      onPointerDown=${press} onClick=${click}><${Icon} name=${icon} /></button>
    <div ref=${popup} class="popup" popover="auto" role="menu" aria-label=${name} onToggle=${(event) => setOpen(event.newState === "open")} onKeyDown=${key}>
      ${items.map(([id, text, action, danger]) => html`<button key=${id} type="button" role="menuitem" tabindex="-1" class=${danger ? "danger" : ""} onClick=${() => choose(action)}>${text}</button>`)}
    </div>`;
}

function show(popup, button) {
  popup.showPopover();
  const place = button.getBoundingClientRect();
  popup.style.top = `${Math.min(place.bottom + 4, innerHeight - popup.offsetHeight - 8)}px`;
  popup.style.left = `${Math.max(8, place.right - popup.offsetWidth)}px`;
  popup.querySelector("button").focus();
}
