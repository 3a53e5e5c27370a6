// Diagrams and SVG of an answer as pictures. In a picture no script runs and nothing is loaded; Mermaid itself runs in
import { t } from "./i18n.js";
// a frame without an origin.

const LONGEST = 50_000;
const LONGEST_MS = 20_000;
const waiting = new Map();
let frame = null;
let count = 0;

// Puts the drawing above each block of code that describes one; the code stays a click away.
export async function drawAll(codes) {
  for (const code of codes) {
    const text = code.textContent;
    if (text.length > LONGEST) continue;
    try {
      show(code, code.classList.contains("language-svg") ? text : await drawn(text));
    } catch { /* what cannot be drawn stays code */ }
  }
}

function show(code, svg) {
  const box = code.closest(".code");
  const picture = Object.assign(document.createElement("img"), { className: "drawn", alt: "", src: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}` });
  const toggle = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: t("showCode") });
  toggle.setAttribute("aria-pressed", "false");
  picture.alt = `${t("diagram")}: ${code.textContent.trim().slice(0, 200)}`;
  picture.addEventListener("load", () => {
    box.classList.add("is-drawn");
    box.querySelector(".bar").insertBefore(toggle, box.querySelector("[data-copy]"));
    box.append(picture);
  }, { once: true });
  toggle.addEventListener("click", () => toggle.setAttribute("aria-pressed", String(box.classList.toggle("with-code"))));
  picture.decode().catch(() => {});
}

async function drawn(text) {
  const { contentWindow } = await (frame ??= opened());
  const id = count += 1;
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => { waiting.delete(id); reject(new Error("too slow")); }, LONGEST_MS);
    waiting.set(id, ({ svg, error }) => { clearTimeout(timer); if (svg) resolve(svg); else reject(new Error(error)); });
    contentWindow.postMessage({ id, text, dark }, "*");
  });
}

function opened() {
  const made = Object.assign(document.createElement("iframe"), { src: "diagram.html", className: "workshop", title: t("diagram"), tabIndex: -1 });
  made.setAttribute("sandbox", "allow-scripts");
  made.setAttribute("aria-hidden", "true");
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => { frame = null; made.remove(); reject(new Error("not loaded")); }, LONGEST_MS);
    addEventListener("message", ({ source, data }) => {
      if (source !== made.contentWindow) return;
      if (data.ready) { clearTimeout(timer); resolve(made); return; }
      waiting.get(data.id)?.(data);
      waiting.delete(data.id);
    });
    document.body.append(made);
  });
}
