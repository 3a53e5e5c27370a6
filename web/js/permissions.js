// What the user has allowed tools by answers that hold for longer; for administrators also what the settings say.
import { getJson, request } from "./api.js";
import { t } from "./i18n.js";
import { html, useEffect, useState } from "./preact.js";
import { notify } from "./store.js";
import { Sure } from "./sure.js";

export function View({ store }) {
  const { sessionId, me } = store;
  const [rules, setRules] = useState(null);
  const [policy, setPolicy] = useState(null);
  const refresh = () => getJson(`permissions?session_id=${encodeURIComponent(sessionId)}`).then((found) => setRules(found.rules), notify);
  useEffect(() => {
    refresh();
    if (me?.role === "admin") getJson("admin/policy").then(setPolicy, notify);
  }, [sessionId, me?.role]);
  const takeBack = (rule) => async () => {
    try { await request(`permissions/${rule.id}`, { method: "DELETE" }); } catch (error) { notify(error); }
    refresh();
  };
  if (!rules) return html`<p class="quiet">${t("loading")}</p>`;
  return html`
    <p class="quiet">${t("permissionsHint")}</p>
    ${rules.length === 0 && html`<p class="quiet">${t("noRules")}</p>`}
    <ul class="parts">${rules.map((rule) => html`<li key=${rule.id} data-rule=${rule.id}><${Rule} rule=${rule.rule} />
      <small>${t(rule.session_id ? "ruleHere" : "ruleEverywhere")}</small>
      <${Sure} label=${t("takeBackRule")} act=${takeBack(rule)} /></li>`)}</ul>
    ${policy && html`<${Policy} policy=${policy} />`}`;
}

const Rule = ({ rule }) => html`<bdi>${rule.tool}</bdi> <span class="state">${t(`rule-${rule.decision}`)}</span>
  ${Object.entries(rule.arguments ?? {}).map(([name, value]) => html`<small key=${name} dir="ltr">${name}: ${value}</small>`)}
  ${rule.roles && html`<small>${t("ruleRoles", { roles: rule.roles.join(", ") })}</small>`}`;

function Policy({ policy }) {
  const limits = [...Object.entries(policy.daily).map(([name, most]) => [t(`quota-${name}`), most]),
    ...(policy.rate_limit_per_minute ? [[t("rateLimit"), policy.rate_limit_per_minute]] : [])];
  return html`<h3>${t("serverPolicy")}</h3><p class="quiet">${t("serverPolicyHint")}</p>
    <dl class="keys">${limits.map(([name, most]) => html`<div key=${name}><dt>${name}</dt><dd>${most}</dd></div>`)}</dl>
    ${limits.length === 0 && html`<p class="quiet">${t("noLimits")}</p>`}
    <ul class="parts">${policy.permissions.map((rule, i) => html`<li key=${i}><${Rule} rule=${rule} /></li>`)}</ul>`;
}
