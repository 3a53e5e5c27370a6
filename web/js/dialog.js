// A modal dialog: the browser keeps the focus in it, closes it on Escape, and gives the focus back.
import { html, useEffect, useRef } from "./preact.js";

export function Dialog({ label, onClose, children }) {
  const box = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    box.current.showModal();
    return () => { if (before?.isConnected) before.focus(); else document.getElementById("message-box")?.focus(); };
  }, []);
  const outside = (event) => { if (event.target === box.current) onClose(); };
  return html`<dialog ref=${box} aria-label=${label} onClose=${onClose} onClick=${outside}><div class="dialog"><h2>${label}</h2>${children}</div></dialog>`;
}
