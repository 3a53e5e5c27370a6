// API keys of one user: listed by their beginning, made (and shown this once), revoked.
import { request, sendJson } from "./api.js";
import { copyText } from "./clipboard.js";
import { distinctNames } from "./distinct.js";
import { t } from "./i18n.js";
import { html, useState } from "./preact.js";
import { QuotaFields, quotaIn, shownQuota, usedToday } from "./quota.js";
import { notify } from "./store.js";
import { Sure } from "./sure.js";

const PERIODS = [0, 30, 90, 365];
const day = (time) => new Date(time).toLocaleDateString(document.documentElement.lang);

// `path` is where the API has these keys; `refresh` looks again after a change.
export function KeyList({ path, keys, refresh }) {
  const [made, setMade] = useState("");
  const make = async (event) => {
    event.preventDefault();
    const form = event.target;
    const { name, days, ...limits } = Object.fromEntries(new FormData(form));
    try {
      setMade((await sendJson(path, { name: name.trim(), days: Number(days), quota: quotaIn(limits) })).key);
      form.reset();
    } catch (error) { notify(error); }
    refresh();
  };
  const revoke = (key) => async () => {
    try { await request(`${path}/${encodeURIComponent(key.id)}`, { method: "DELETE" }); } catch (error) { notify(error); }
    refresh();
  };
  const called = distinctNames(keys);
  return html`
    <form class="settings" onSubmit=${make}>
      <label>${t("keyName")}<input name="name" required maxlength="100" pattern=".*\\S.*" autocomplete="off" /></label>
      <label>${t("worksFor")}<select name="days">${PERIODS.map((days) => html`<option key=${days} value=${days}>${days ? t("days", { n: days }) : t("untilRevoked")}</option>`)}</select></label>
      <details><summary>${t("quotaOfKey")}</summary><p class="quiet">${t("quotaOfKeyHint")}</p><${QuotaFields} /></details>
      <div class="buttons"><button type="submit">${t("makeKey")}</button></div>
    </form>
    ${made && html`<${MadeKey} key=${made} value=${made} />`}
    ${keys.length === 0 && html`<p class="quiet">${t("noKeys")}</p>`}
    <ul class="parts">${keys.map((key) => html`<li key=${key.id} data-key=${key.id}>
      <bdi>${called.get(key.id)}</bdi> <code dir="ltr">${key.prefix}…</code>
      <small>${t("madeOn", { date: day(key.created_at) })} · ${key.expires_at ? t("worksUntil", { date: day(key.expires_at) }) : t("untilRevoked")}</small>
      ${key.quota && html`<small>${shownQuota(key.quota)} · ${usedToday(key.today)}</small>`}
      <${Sure} label=${t("revokeKey", { name: called.get(key.id) })} act=${revoke(key)} /></li>`)}</ul>`;
}

// A new key, which cannot be shown again.
export function MadeKey({ value }) {
  const [copied, setCopied] = useState(false);
  return html`<div class="made-key" role="status">
    <p>${t("keyOnce")}</p><code dir="ltr" tabindex="0">${value}</code>
    <div class="buttons"><button type="button" onClick=${() => copyText(value, setCopied)}>${t(copied ? "copied" : "copyKey")}</button></div></div>`;
}
