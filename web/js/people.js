// For administrators: who uses this server, how much, and until when. What people write is not among it.
import { getJson, sendJson } from "./api.js";
import { distinctNames } from "./distinct.js";
import { KeyList, MadeKey } from "./key_list.js";
import { t } from "./i18n.js";
import { html, useEffect, useState } from "./preact.js";
import { QuotaFields, quotaIn, usedToday } from "./quota.js";
import { plainName } from "./safe_name.js";
import { notify, set } from "./store.js";
import { Sure } from "./sure.js";

const ROLES = ["user", "admin"];
const pathOf = (user) => `admin/users/${encodeURIComponent(user.id)}`;

export function View({ store }) {
  const [users, setUsers] = useState(null);
  const refresh = () => getJson("admin/users").then(setUsers, notify);
  useEffect(() => { refresh(); }, []);
  if (!users) return html`<p class="quiet">${t("loading")}</p>`;
  const called = distinctNames(users, ({ id, name }) => plainName(name) || id);
  return html`
    <div class="people"><p class="quiet">${t("peopleHint")}</p>
      <${AddUser} refresh=${refresh} />
      ${users.map((user) => html`<${Person} key=${user.id} user=${user} called=${called.get(user.id)} own=${user.id === store.me?.user_id} refresh=${refresh} />`)}
    </div>`;
}

function AddUser({ refresh }) {
  const [key, setKey] = useState("");
  const add = async (event) => {
    event.preventDefault();
    const form = event.target;
    const { name, role } = Object.fromEntries(new FormData(form));
    try {
      setKey((await sendJson("admin/users", { name: name.trim(), role })).key);
      form.reset();
    } catch (error) { notify(error); }
    refresh();
  };
  return html`<details><summary>${t("addUser")}</summary>
    <form class="settings" onSubmit=${add}>
      <label>${t("userName")}<input name="name" required maxlength="100" pattern=".*\\S.*" autocomplete="off" /></label>
      <${RoleChoice} value="user" />
      <div class="buttons"><button type="submit">${t("add")}</button></div>
    </form></details>
    ${key && html`<${MadeKey} key=${key} value=${key} />`}`;
}

const RoleChoice = ({ value, disabled }) => html`<label>${t("userRole")}<select name="role" defaultValue=${value} disabled=${disabled}>
  ${ROLES.map((role) => html`<option key=${role} value=${role} selected=${role === value}>${t(`role-${role}`)}</option>`)}</select></label>`;

function Person({ user, called, own, refresh }) {
  const { id, name, role, disabled, today, quota, keys, of_settings: ofSettings } = user;
  const act = async (change) => {
    try { await change(); } catch (error) { notify(error); }
    refresh();
  };
  const save = (event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.target));
    const changes = { ...(given.name.trim() && { name: given.name.trim() }), quota: quotaIn(given), ...(given.role && { role: given.role }) };
    act(() => sendJson(pathOf(user), changes, "PATCH"));
  };
  const keep = (out) => act(() => sendJson(pathOf(user), { disabled: out }, "PATCH"));
  const remove = () => act(async () => set({ receipt: await getJson(pathOf(user), { method: "DELETE" }) }));
  return html`
    <section aria-label=${called} data-user=${id}>
      <h3><bdi>${called}</bdi> <span class="state ${disabled ? "failed" : ""}">${t(disabled ? "disabled" : `role-${role}`)}</span></h3>
      <p class="quiet">${usedToday(today)}</p>
      <details><summary>${t("changeUser")}</summary>
        <form class="settings" onSubmit=${save}>
          <small dir="ltr">${id}</small>
          <label>${t("userName")}<input name="name" maxlength="100" defaultValue=${name} autocomplete="off" /></label>
          <${RoleChoice} value=${role} disabled=${ofSettings || own} />
          <fieldset><legend>${t("quotaOfDay")}</legend><${QuotaFields} quota=${quota} /></fieldset>
          <div class="buttons"><button type="submit">${t("save")}</button></div>
        </form>
        <h4>${t("keysOf")}</h4>
        <${KeyList} path="${pathOf(user)}/keys" keys=${keys} refresh=${refresh} />
        ${!ofSettings && !own && html`<div class="buttons">
          <button type="button" class="quiet" onClick=${() => keep(!disabled)}>${t(disabled ? "enableUser" : "disableUser")}</button>
          <${Sure} label=${t("deleteUser", { name: called })} act=${remove} /></div>`}
      </details>
    </section>`;
}
