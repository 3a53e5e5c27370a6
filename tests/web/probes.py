"""JavaScript that looks at the page from inside."""

from __future__ import annotations

FOCUSED = """() => {
  const it = document.activeElement;
  return it.ariaLabel || it.labels?.[0]?.textContent.trim() || (it === document.body ? "" : it.textContent.trim());
}"""
FOCUS_IS_SEEN = """() => {
  const it = document.activeElement;
  const outlined = getComputedStyle(it).outlineStyle !== "none" || it.closest(".row, .file-button") !== null;
  return outlined || it === document.body;
}"""
UNNAMED = """() => [...document.querySelectorAll("button, input, textarea, select, a[href], [role=menuitem]")]
  .filter((it) => it.checkVisibility())
  .filter((it) => !(it.ariaLabel || it.textContent.trim() || it.labels?.[0]?.textContent.trim()))
  .map((it) => it.outerHTML.slice(0, 120))"""
CONTRAST = """() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const brush = canvas.getContext("2d", { willReadFrequently: true });
  const parts = (colour) => {
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = colour;
    brush.fillRect(0, 0, 1, 1);
    return [...brush.getImageData(0, 0, 1, 1).data];
  };
  const linear = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const ground = (it) => {
    for (; it; it = it.parentElement) {
      const colour = parts(getComputedStyle(it).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const skipped = ":disabled, .only-read, .skip, svg, math";
  const low = [];
  for (const it of document.querySelectorAll("body *")) {
    const hasText = [...it.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!hasText || !it.checkVisibility() || it.closest(skipped)) continue;
    const both = [luminance(parts(getComputedStyle(it).color)), luminance(ground(it))].sort((x, y) => y - x);
    const ratio = (both[0] + 0.05) / (both[1] + 0.05);
    if (ratio < 4.5) low.push(`${ratio.toFixed(2)} ${it.className || it.tagName}: ${it.textContent.slice(0, 30)}`);
  }
  return low;
}"""
NOTE_TEXTS = """(selector) => {
  globalThis.seen = new Set();
  const look = () => {
    for (const it of document.querySelectorAll(selector)) globalThis.seen.add(it.textContent);
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
SEEN = "[...globalThis.seen]"
COUNT_BLOCKS_DRAWN = """() => {
  globalThis.drawn = 0;
  const count = (records) => {
    for (const record of records) if (record.target.matches?.(".markdown > div")) globalThis.drawn += 1;
  };
  new MutationObserver(count).observe(document.body, { subtree: true, childList: true });
}"""
GIVE_FILE = """([kind, name, type, data]) => {
  const files = new DataTransfer();
  files.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name, { type }));
  const options = { bubbles: true, cancelable: true };
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: files, ...options })
    : new DragEvent(kind, { dataTransfer: files, ...options });
  document.querySelector("#message-box").dispatchEvent(event);
}"""
KEY_TIME = """async () => {
  const box = document.querySelector("#message-box");
  const start = performance.now();
  for (let n = 0; n < 20; n += 1) {
    box.value += "x";
    box.dispatchEvent(new InputEvent("input", { bubbles: true }));
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
  return (performance.now() - start) / 20;
}"""
BYTES = "performance.getEntriesByType('resource').filter((it) => !it.name.includes('/api/'))" + (
    ".reduce((sum, it) => sum + it.transferSize, 0)"
)
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
NOTE_SOUND = """() => {
  globalThis.ended = 0;
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    this.addEventListener("ended", () => { globalThis.ended += 1; });
    return play.call(this);
  };
}"""
SMALL = """() => {
  const controls = "button, select, summary, a.chip, input:not([type=checkbox], [type=radio])";
  const around = (it) => {
    const box = it.getBoundingClientRect(), { left, top } = getComputedStyle(it, "::after");
    return [box.width - (2 * parseFloat(left) || 0), box.height - (2 * parseFloat(top) || 0)];
  };
  return [...document.querySelectorAll(controls)]
    .filter((it) => it.checkVisibility() && !it.closest("[inert]"))
    .filter((it) => !document.querySelector("dialog[open]") || it.closest("dialog[open]"))
    .map((it) => [it.ariaLabel || it.textContent, ...around(it)])
    .filter(([, width, height]) => width < 44 || height < 44);
}"""
"""Controls that are too small for a finger; what is drawn around one counts."""
COVERED = """() => [...document.querySelectorAll("button, select, textarea, input, summary, a[href]")]
  .filter((it) => it.checkVisibility() && !it.closest("[inert], .skip, [popover]"))
  .filter((it) => {
    it.scrollIntoView({ block: "nearest", inline: "nearest" });
    const { left, right, top, bottom } = (it.closest("label") ?? it).getBoundingClientRect();
    const met = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return left < 0 || right > innerWidth || !met || !(it.contains(met) || it.closest("label")?.contains(met));
  })
  .map((it) => it.ariaLabel || it.textContent || it.name)"""
"""Controls that cannot be clicked although one scrolls to them: beyond the edge, or below something else."""
UNMARKED = """() => {
  const drawn = (style, side) => style[`${side}Style`] !== "none" && parseFloat(style[`${side}Width`]) >= 1;
  const other = (colour, it) => {
    for (let around = it; around; around = around.parentElement) {
      const { backgroundColor } = getComputedStyle(around);
      if (!/, 0\\)$/.test(backgroundColor)) return colour !== backgroundColor;
    }
    return colour !== getComputedStyle(document.documentElement).backgroundColor;
  };
  const seen = (it, sides) => {
    const style = getComputedStyle(it);
    return sides.some((side) => drawn(style, side) && other(style[`${side}Color`], it.parentElement));
  };
  const framed = ".bubble, .code, .composer .row, header .role, header .model, .primary, blockquote, td";
  const chosen = "[aria-pressed=true], li.current";
  const shown = (selector) => [...document.querySelectorAll(selector)].filter((it) => it.checkVisibility());
  return {
    kinds: framed.split(", ").filter((selector) => shown(selector).length).length,
    chosen: shown(chosen).length,
    unmarked: [
      ...shown(framed).filter((it) => !seen(it, ["borderTop", "borderLeft", "borderBottom"])),
      ...shown(chosen).filter((it) => !seen(it, ["outline"])),
    ].map((it) => it.outerHTML.slice(0, 100)),
  };
}"""
"""Where backgrounds are gone: what has no frame to be told apart by, and what is chosen without an outline."""
