// The language of the interface. `t(key, values)` gives a text in it: "{n}" stands for a value, "{n|day|days}" for a count
// with its noun.
const FILES = {
  en: [() => import("./words_en.js"), () => import("./more_words_en.js")],
  zh: [() => import("./words_zh.js"), () => import("./more_words_zh.js")],
};
const words = { en: {}, zh: {} };

let current = "en";

export const languages = { en: "English", zh: "中文" };

// Fetches the words of a language: those of the first paint, or all.
export async function loadWords(language, all = false) {
  const files = await Promise.all(FILES[language].slice(0, all ? 2 : 1).map((load) => load()));
  for (const { WORDS } of files) Object.assign(words[language], WORDS);
}

export function setLanguage(language) {
  current = language;
  document.documentElement.lang = current === "zh" ? "zh-CN" : "en";
}

export function t(key, values = {}) {
  const text = words[current][key] ?? key;
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

// Names that the server gives to its parts, stores and built-in roles.
export const partName = (part) => words[current][`part:${part}`] ?? part;
export const roleName = (role) => words[current][`persona:${role}`] ?? role;
export const storeName = (store) => words[current][`store:${store}`] ?? store;
export const nodeName = (node, graph) => graph?.nodes.find(({ name }) => name === node)?.title[current] ?? node;
export const toolName = (tool, titles) => titles?.[tool]?.[current] ?? tool;
