// A picture with the lines outlined that hold the quoted words.
import { t } from "./i18n.js";
import { html, useEffect, useState } from "./preact.js";
import { getBlob } from "./api.js";
import { plainName } from "./safe_name.js";
import { folded } from "./quote.js";

// The server reads pictures at most this large; boxes count in those pixels (readers/picture/reader.py).
const MAX_SIDE = 4000;
const LONG = 3;
const LONGEST_SIDE = 20_000;

export function Picture({ file, quote }) {
  const [view, setView] = useState(null);
  useEffect(() => {
    let url = null;
    let gone = false;
    const show = (made) => { if (gone) URL.revokeObjectURL(url); else setView(made); };
    getBlob(`documents/${file.id}/content`).then((blob) => { url = URL.createObjectURL(blob); return measure(url); })
      .then((size) => show({ url, ...size })).catch(() => show({ failed: true }));
    return () => { gone = true; if (url) URL.revokeObjectURL(url); };
  }, [file.id]);
  const text = file.ocr?.text;
  const lines = file.ocr?.lines ?? [];
  const hits = quote ? linesOf(lines, quote) : new Set();
  return html`
    ${view && (view.failed ? html`<p class="quiet">${t("noPreview")}</p>` : html`<${Drawing} view=${view} ocr=${file.ocr} name=${file.name} hits=${hits} />`)}
    ${file.description?.text && html`<h3>${t("description")}</h3><p dir="auto">${file.description.text}</p>`}
    ${text && html`<h3>${t("textInPicture")}</h3>
      <div class="page-text" dir="auto" tabindex="0">${lines.map((line, i) => html`<div key=${i}>${hits.has(i) ? html`<mark>${line.text}</mark>` : line.text}</div>`)}</div>`}
    ${file.facts && html`<p class="quiet" dir="auto">${file.facts}</p>`}`;
}

function measure(url) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve({ width: image.naturalWidth, height: image.naturalHeight });
    image.onerror = reject;
    image.src = url;
  });
}

// OCR turned the picture counter-clockwise by `rotation` before it measured; the same is done here.
function Drawing({ view, ocr, name, hits }) {
  const rotation = ocr?.rotation ?? 0;
  const scale = fitted(view.width, view.height);
  const [width, height] = [view.width * scale, view.height * scale];
  const turned = rotation % 180 ? [height, width] : [width, height];
  const move = { 0: "", 90: `translate(0 ${width}) rotate(-90)`, 180: `translate(${width} ${height}) rotate(180)`, 270: `translate(${height} 0) rotate(90)` }[rotation];
  return html`
    <svg class="picture" viewBox="0 0 ${turned[0]} ${turned[1]}" role="img" aria-label=${plainName(name)}>
      <image href=${view.url} width=${width} height=${height} transform=${move} />
      ${[...hits].map((i) => html`<polygon key=${i} class="hit" points=${ocr.lines[i].box.map((corner) => corner.join(",")).join(" ")} />`)}
    </svg>`;
}

function fitted(width, height) {
  const longest = Math.max(width, height);
  const scale = Math.max(MAX_SIDE / longest, Math.sqrt(MAX_SIDE ** 2 / LONG / (width * height)));
  return Math.min(1, scale, LONGEST_SIDE / longest);
}

// Indexes of the lines that the quote runs over; where it is nowhere as a whole, of those that are parts of it.
function linesOf(lines, quote) {
  const needle = folded(quote).text;
  const texts = lines.map((line) => folded(line.text).text);
  const starts = [];
  let whole = "";
  for (const text of texts) { starts.push(whole.length); whole += text; }
  const at = needle ? whole.indexOf(needle) : -1;
  const hit = (text, i) => (at >= 0 ? starts[i] < at + needle.length && starts[i] + text.length > at : needle.includes(text));
  return new Set(texts.flatMap((text, i) => (text && hit(text, i) ? [i] : [])));
}
