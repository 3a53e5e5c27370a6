// How the user wants to be answered: set here, or learned of what they said. What is set wins.
import { getJson, request, sendJson } from "./api.js";
import { t } from "./i18n.js";
import { html, useEffect, useState } from "./preact.js";
import { openSession } from "./sessions.js";
import { notify } from "./store.js";
import { Sure } from "./sure.js";

const CHOICES = { language: ["en", "zh"], length: ["short", "medium", "long"], pii: ["mask", "block"] };
const MOST = { expertise: 80, interests: 80 };
const FIELDS = ["name", "language", "tone", "length", "format", "expertise", "interests", "time_zone", "pii"];
const shown = (field, value) => (CHOICES[field] ? t(`profile-${value}`) : value);

export function View({ store }) {
  const [profile, setProfile] = useState(null);
  const [learned, setLearned] = useState([]);
  const load = () => Promise.all([getJson("profile").then(setProfile), getJson("profile/learned").then((found) => setLearned(found.learned))]).catch(notify);
  useEffect(() => { load(); }, [store.messages.length]);
  const put = async (changed) => {
    try {
      await sendJson("profile", Object.fromEntries(Object.entries(changed).filter(([, value]) => value)), "PUT");
      await load();
      notify(t("profileSaved"));
    } catch (error) { notify(error); }
  };
  const save = (event) => {
    event.preventDefault();
    put(Object.fromEntries([...new FormData(event.target)].map(([name, value]) => [name, value.trim()])));
  };
  const forget = (item) => async () => {
    try { await request(`profile/learned/${encodeURIComponent(item.id)}`, { method: "DELETE" }); } catch (error) { notify(error); }
    load();
  };
  if (!profile) return html`<p class="quiet">${t("loading")}</p>`;
  return html`
    <p class="quiet">${t("profileHint")}</p>
    <form key=${JSON.stringify(profile)} class="settings" onSubmit=${save}>
      ${FIELDS.map((field) => html`<${Field} key=${field} field=${field} value=${profile[field] ?? ""} learned=${learned.filter((item) => item.field === field)} />`)}
      <div class="buttons"><button type="submit" class="primary">${t("save")}</button></div>
    </form>
    <h3>${t("learnedTitle")}</h3>
    ${learned.length === 0 && html`<p class="quiet">${t("nothingLearned")}</p>`}
    <ul class="parts">${learned.map((item) => html`<${Item} key=${item.id} item=${item} set=${() => put({ ...profile, [item.field]: item.value })} forget=${forget(item)} />`)}</ul>`;
}

function Field({ field, value, learned }) {
  const hint = learned.map((item) => shown(field, item.value)).join(", ");
  const choices = CHOICES[field];
  return html`<label>${t(`profile-${field}`)}${choices
    ? html`<select name=${field}><option value="" selected=${!value}>${hint ? t("asLearned", { value: hint }) : t("notSet")}</option>
        ${choices.map((one) => html`<option key=${one} value=${one} selected=${one === value}>${shown(field, one)}</option>`)}</select>`
    : html`<input name=${field} maxlength=${MOST[field] ?? 60} defaultValue=${value} placeholder=${hint} autocomplete="off" />`}</label>`;
}

function Item({ item, set, forget }) {
  const date = new Date(item.learned_at).toLocaleDateString(document.documentElement.lang);
  return html`<li data-learned=${item.id}>
    ${t(`profile-${item.field}`)}: <bdi>${shown(item.field, item.value)}</bdi>
    <small dir="auto">${item.said ? t("learnedFrom", { said: item.said, date }) : t("learnedFromBrowser", { date })}${item.used ? "" : ` · ${t("youSetAnother")}`}</small>
    <div class="buttons">
      ${item.said && item.session_id && html`<button type="button" class="quiet" onClick=${() => openSession(item.session_id).catch(notify)}>${t("openConversation")}</button>`}
      <button type="button" class="quiet" onClick=${set}>${t("keepAsSet")}</button>
      <${Sure} label=${t("forget")} act=${forget} /></div></li>`;
}
