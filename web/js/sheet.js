// A page as it looks, with the quoted words boxed.
import { getBlob, getJson } from "./api.js";
import { t } from "./i18n.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { plainName } from "./safe_name.js";

const MOST_QUOTED = 4000;

// `onFail` is called when there is no picture of the page: of a locked file, say.
export function Sheet({ file, number, quote, start, onFail }) {
  const [url, setUrl] = useState(null);
  const [boxes, setBoxes] = useState([]);
  const [large, enlarge] = useState(false);
  const first = useRef(null);
  useEffect(() => {
    let made = null;
    let gone = false;
    setUrl(null);
    getBlob(`documents/${file.id}/pages/${number}/picture`).then((blob) => {
      made = URL.createObjectURL(blob);
      if (gone) URL.revokeObjectURL(made); else setUrl(made);
    }, () => { if (!gone) onFail(); });
    return () => { gone = true; if (made) URL.revokeObjectURL(made); };
  }, [file.id, number]);
  useEffect(() => {
    let gone = false;
    setBoxes([]);
    if (quote) {
      const asked = new URLSearchParams({ text: quote.slice(0, MOST_QUOTED), start: start ?? 0 });
      getJson(`documents/${file.id}/pages/${number}/boxes?${asked}`).then((found) => { if (!gone) setBoxes(found.boxes); }, () => {});
    }
    return () => { gone = true; };
  }, [file.id, number, quote, start]);
  useEffect(() => { if (url) first.current?.scrollIntoView({ block: "center", inline: "center" }); }, [url, boxes, large]);
  if (!url) return html`<p class="quiet">${t("loading")}</p>`;
  return html`
    <button type="button" class="quiet" aria-pressed=${large} onClick=${() => enlarge(!large)}>${t("enlarge")}</button>
    <div class="sheet ${large ? "large" : ""}" role="img" tabindex="0" aria-label="${plainName(file.name)}, ${t("page", { page: number })}${quote ? `: ${quote}` : ""}">
      <div><img src=${url} alt="" />
      <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">${boxes.map(([left, top, right, bottom], i) => html`
        <rect key=${i} ref=${i ? null : first} class="hit" x=${left} y=${top} width=${right - left} height=${bottom - top} />`)}</svg></div>
    </div>
    ${quote && boxes.length === 0 && html`<p class="only-read">${quote}</p>`}`;
}
