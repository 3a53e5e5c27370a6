// What a day may use: of a user, or with a key.
import { t } from "./i18n.js";
import { html } from "./preact.js";

const QUOTAS = ["tokens", "calls", "money"];
const number = (n) => new Intl.NumberFormat(document.documentElement.lang).format(n);

export const QuotaFields = ({ quota }) => QUOTAS.map((each) => html`<label key=${each}>${t(`quota-${each}`)}
  <input type="number" name=${each} min=${each === "money" ? 0.01 : 1} step=${each === "money" ? 0.01 : 1} defaultValue=${quota?.[each] ?? ""} /></label>`);

// The quota that a form gives; null where every field is empty.
export function quotaIn(given) {
  const limits = Object.fromEntries(QUOTAS.filter((each) => given[each]).map((each) => [each, Number(given[each])]));
  return Object.keys(limits).length ? limits : null;
}

export const shownQuota = (quota) => QUOTAS.filter((each) => quota[each]).map((each) => `${t(`quota-${each}`)}: ${number(quota[each])}`).join(", ");

export const usedToday = ({ turns, tokens, calls, money }) =>
  t("usedToday", { turns: number(turns), tokens: number(tokens), calls: number(calls), money: number(money) });
