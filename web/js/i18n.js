// The language of the interface. `t(key, values)` gives a text in it: "{n}" stands for a value, "{n|day|days}" for a count
// with its noun.
import { NAMES, WORDS } from "./words.js";

let current = "en";

export const languages = { en: "English", zh: "中文" };

export function setLanguage(language) {
  current = language in WORDS ? language : "en";
  document.documentElement.lang = current === "zh" ? "zh-CN" : "en";
}

// Takes in the words of a part that is loaded when it is needed.
export const addWords = (more) => { for (const [language, words] of Object.entries(more)) Object.assign(WORDS[language], words); };

export function t(key, values = {}) {
  const text = WORDS[current][key] ?? key;
  return text.replace(/\{(\w+)(?:\|([^|}]+)\|([^}]+))?\}/g, (_, name, one, more) => {
    const value = values[name] ?? "";
    return one ? `${value} ${counted(value) === "one" ? one : more}` : String(value);
  });
}

const counted = (value) => new Intl.PluralRules(current).select(Number(value));

const UNITS = [[86_400, "day"], [3600, "hour"], [60, "minute"], [0, "second"]];

// A number of seconds in its largest unit.
export function duration(seconds) {
  const [size, unit] = UNITS.find(([least]) => seconds >= least);
  return new Intl.NumberFormat(current, { style: "unit", unit, maximumFractionDigits: 0 }).format(Math.floor(seconds / (size || 1)));
}

export const nodeName = (node, graph) => graph?.nodes.find(({ name }) => name === node)?.title[current] ?? node;
export const partName = (part) => NAMES[current][`part:${part}`] ?? part;
export const storeName = (store) => NAMES[current][`store:${store}`] ?? store;
export const toolName = (tool, titles) => titles?.[tool]?.[current] ?? tool;
