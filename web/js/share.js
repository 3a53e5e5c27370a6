// Links to a conversation: made, copied, listed, revoked.
import { getJson, request, sendJson, sessionPath } from "./api.js";
import { copyText } from "./clipboard.js";
import { Dialog } from "./dialog.js";
import { duration, t } from "./i18n.js";
import { html, useEffect, useRef, useState } from "./preact.js";

const PERIODS = [3600, 86_400, 7 * 86_400, 30 * 86_400, 365 * 86_400];
const date = (time) => new Date(time).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

export function Share({ id, title, longest, onEnd }) {
  const periods = [...new Set([...PERIODS.filter((seconds) => seconds < longest), longest])];
  const [seconds, setSeconds] = useState(periods.findLast((value) => value <= 7 * 86_400) ?? longest);
  const [quotes, setQuotes] = useState(true);
  const [files, setFiles] = useState(false);
  const [links, setLinks] = useState([]);
  const [made, setMade] = useState(null);
  const [copied, setCopied] = useState(false);
  const [failed, setFailed] = useState("");
  const field = useRef(null);
  const path = sessionPath(id, "/share");
  const act = async (action) => { setFailed(""); try { await action(); } catch (error) { setFailed([error.message, error.remedy].filter(Boolean).join(" ")); } };
  const list = async () => setLinks((await getJson(path)).shares);
  useEffect(() => { act(list); }, []);
  useEffect(() => { if (made) { field.current.focus(); field.current.select(); } }, [made]);
  const make = (event) => {
    event.preventDefault();
    act(async () => {
      const share = await sendJson(path, { expires_in: seconds, files, quotes });
      setMade({ id: share.id, url: new URL(share.path.slice(1), document.baseURI.split(/[?#]/)[0]).href });
      setCopied(false);
      await list();
    });
  };
  const revoke = (share) => act(async () => {
    await request(`${path}/${share.id}`, { method: "DELETE" });
    if (made?.id === share.id) setMade(null);
    await list();
  });
  return html`
    <${Dialog} label=${t("share")} onClose=${onEnd}>
      <p dir="auto">${title}</p><p class="quiet">${t("shareWhat")}</p>
      <form class="settings" onSubmit=${make}>
        <label>${t("linkOpensFor")}<select value=${seconds} onChange=${(event) => setSeconds(Number(event.target.value))}>
          ${periods.map((value) => html`<option key=${value} value=${value}>${duration(value)}</option>`)}</select></label>
        <label class="check"><input type="checkbox" checked=${quotes} onChange=${(event) => setQuotes(event.target.checked)} />${t("shareQuotes")}</label>
        <label class="check"><input type="checkbox" checked=${files} onChange=${(event) => setFiles(event.target.checked)} />${t("shareFiles")}</label>
        <div class="buttons"><button type="button" onClick=${onEnd}>${t("close")}</button><button type="submit" class="primary">${t("makeLink")}</button></div>
      </form>
      ${made && html`<label class="link">${t("newLink")}<input ref=${field} readonly value=${made.url} /></label>
        <div class="buttons"><button type="button" onClick=${() => copyText(made.url, setCopied)}>${t(copied ? "copied" : "copy")}</button></div>`}
      <p role="status" dir="auto">${failed}</p>
      ${links.length > 0 && html`<h3>${t("links")}</h3><ul class="links">${links.map((share) => html`<li key=${share.id}>
        <span>${t("linkMade", { date: date(share.created_at) })} · ${t("opensUntil", { date: date(share.expires_at) })} · ${t("timesOpened", { n: share.opened })}</span>
        <button type="button" class="quiet strong" aria-label=${t("revokeLink", { date: date(share.created_at) })} onClick=${() => revoke(share)}>${t("revoke")}</button></li>`)}</ul>`}
    <//>`;
}
