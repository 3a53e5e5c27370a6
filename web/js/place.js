// The page, picture or address that a citation points at, with the quoted words marked.
import { t } from "./i18n.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./preact.js";
import { getBlob, getJson } from "./api.js";
import { IconButton } from "./icons.js";
import { pageHtml } from "./markdown.js";
import { Picture } from "./picture.js";
import { markQuote } from "./quote.js";
import { plainName } from "./safe_name.js";
import { saveAs } from "./save_as.js";
import { Sheet } from "./sheet.js";
import { notify } from "./store.js";

export const placeKey = (place) => [place.document_id, place.url, place.page, place.start, place.quote].join("|");

export function Place({ place }) {
  const [number, setNumber] = useState(place.page ?? 1);
  const [shown, setShown] = useState(null);
  const [look, setLook] = useState("page");
  useEffect(() => {
    let gone = false;
    if (place.document_id) load(place.document_id, number).catch((error) => ({ error })).then((value) => { if (!gone) setShown(value); });
    return () => { gone = true; };
  }, [number]);
  if (place.url) return html`<${Address} place=${place} />`;
  if (!shown) return html`<div class="place" aria-busy="true"><p class="quiet">${t("loading")}</p></div>`;
  if (shown.error) return html`<div class="place"><p class="mark error">${shown.error.status === 404 ? t("noDocument") : shown.error.message}</p></div>`;
  const { file, page } = shown;
  const quote = number === place.page ? place.quote : "";
  const isPdf = file.media_type === "application/pdf";
  const drawn = isPdf && look === "page";
  return html`
    <section class="place" aria-label=${`${t("document")}: ${plainName(file.name)}`}>
      <div class="bar"><strong><bdi>${plainName(file.name)}</bdi></strong>
        ${isPdf && html`<button type="button" class="quiet" aria-pressed=${look === "text"} onClick=${() => setLook(drawn ? "text" : "page")}>${t("asText")}</button>`}
        <button type="button" class="quiet" onClick=${() => download(file)}>${t("download")}</button></div>
      ${file.pages_total > 1 && html`<${Turner} number=${number} total=${file.pages_total} page=${page} go=${setNumber} />`}
      ${file.kind === "image" && html`<${Picture} file=${file} quote=${place.quote} />`}
      ${drawn && html`<${Sheet} file=${file} number=${number} quote=${quote} start=${place.start} onFail=${() => setLook("text")} />`}
      ${file.kind !== "image" && !drawn && html`<${PageText} page=${page} quote=${quote} start=${place.start} />`}
      ${page?.hidden && html`<details class="hidden-text"><summary>${t("hiddenText")}</summary><p class="quiet">${t("hiddenTextNote")}</p><pre dir="auto">${page.hidden}</pre></details>`}
      ${file.kind !== "image" && number === 1 && !place.quote && file.summary && html`<p class="quiet" dir="auto">${t("summary")}: ${file.summary}</p>`}
    </section>`;
}

async function load(id, number) {
  const file = await getJson(`documents/${id}`);
  if (file.kind === "image") return { file, page: null };
  const { pages } = await getJson(`documents/${id}/pages?from=${number}&to=${number}`);
  return { file, page: pages[0] ?? { number, markdown: "" } };
}

const download = async (file) => {
  try { saveAs(await getBlob(`documents/${file.id}/content`), file.name); } catch (error) { notify(error); }
};

function Turner({ number, total, page, go }) {
  const label = page?.label && page.label !== String(number) ? ` (${page.label})` : "";
  return html`<div class="bar turner">
    <${IconButton} icon="previous" label=${t("previous")} disabled=${number <= 1} onClick=${() => go(number - 1)} />
    <span aria-live="polite">${t("pageOf", { page: number, total })}${label}${page?.ocr ? ` · ${t("scanned")}` : ""}</span>
    <${IconButton} icon="next" label=${t("next")} disabled=${number >= total} onClick=${() => go(number + 1)} /></div>`;
}

function PageText({ page, quote, start }) {
  const box = useRef(null);
  useLayoutEffect(() => {
    box.current.innerHTML = pageHtml(page.markdown);
    const mark = quote ? markQuote(box.current, quote, Array.from(page.markdown).slice(0, start ?? 0).join("")) : null;
    box.current.scrollTop = 0;
    mark?.scrollIntoView({ block: "center" });
  }, [page, quote]);
  return html`<div class="page-text markdown" ref=${box} dir="auto" tabindex="0" role="document"></div>${page.markdown ? "" : html`<p class="quiet">${t("emptyPage")}</p>`}`;
}

function Address({ place }) {
  // A browser that knows text fragments opens the page at the passage.
  const passage = place.quote ? `#:~:text=${encodeURIComponent(place.quote.slice(0, 200)).replaceAll("-", "%2D")}` : "";
  const href = /^https?:\/\//i.test(place.url) ? place.url.replace(/#.*$/s, "") + passage : null;
  return html`<section class="place" aria-label=${`${t("document")}: ${plainName(place.name)}`}><strong><bdi>${plainName(place.name)}</bdi></strong>
    <p><a href=${href} target="_blank" rel="noopener noreferrer nofollow">${place.url}</a></p>
    ${place.quote && html`<blockquote dir="auto"><mark>${place.quote}</mark></blockquote>`}</section>`;
}
