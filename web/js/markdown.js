// Markdown to safe HTML, block by block. Nothing that a model, a document or a file says reaches the page without
// DOMPurify; raw HTML in it is shown as the text that it is.
import { Marked } from "../vendor/marked-18.2.1.js";
import DOMPurify from "../vendor/purify-3.4.18.js";
import { t } from "./i18n.js";

const MATH = /^(?:\$\$([\s\S]+?)\$\$|\\\[([\s\S]+?)\\\]|\\\(([\s\S]+?)\\\)|\$([^\s$](?:[^$\n]*[^\s$\\])?)\$(?!\d))/;
const MATH_BLOCK = /^ {0,3}(?:\$\$([\s\S]+?)\$\$|\\\[([\s\S]+?)\\\])[ \t]*(?:\n|$)/;
// As in domain/citations.py: `[n]`, `[n, m]`, `[n "quoted words"]`.
const MARKER = /^[[【](?:(\d{1,3}(?:\s*[,，、;；]\s*\d{1,3})*)|(\d{1,3})\s*[:：,，]?\s*["“”„‟「『'‘’«‹][\s\S]{1,12000}?["“”「」『』'’»›])\s*[\]】](?!\()/;
const PLAIN_TAG = /^<\/?(?:br|sub|sup|u|kbd)\s*\/?>$/i;

const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const firstOf = (pattern) => (text) => { const at = text.search(pattern); return at < 0 ? undefined : at; };
const formula = (tex, block) => `<span class="math" data-block="${block}" data-tex="${escape(tex)}">${escape(tex)}</span>`;

const citeButton = (number) =>
  `<button type="button" class="cite" data-cite="${number}" aria-label="${escape(t("source", { n: number }))}">${number}</button>`;

const mathBlock = {
  name: "mathBlock", level: "block", start: firstOf(/\$\$|\\\[/),
  tokenizer(text) {
    const found = MATH_BLOCK.exec(text);
    return found ? { type: "mathBlock", raw: found[0], tex: found[1] ?? found[2] } : undefined;
  },
  renderer: (token) => `<p>${formula(token.tex, true)}</p>`,
};

const math = {
  name: "math", level: "inline", start: firstOf(/\$|\\\(|\\\[/),
  tokenizer(text) {
    const found = MATH.exec(text);
    if (!found) return undefined;
    return { type: "math", raw: found[0], tex: found.slice(1).find((tex) => tex !== undefined), block: found[1] !== undefined || found[2] !== undefined };
  },
  renderer: (token) => formula(token.tex, token.block),
};

const citation = {
  name: "citation", level: "inline", start: firstOf(/[[【]\d/),
  tokenizer(text) {
    const found = MARKER.exec(text);
    if (!found) return undefined;
    const { known } = this.lexer.options;
    const numbers = (found[1] ?? found[2]).split(/\D+/).map(Number).filter((number) => !known || known.has(number));
    return numbers.length ? { type: "citation", raw: found[0], numbers } : undefined;
  },
  renderer: ({ numbers }) => numbers.map(citeButton).join(""),
};

// `[^id]`, and `[^id]: text` where it is explained.
const noteMark = {
  name: "noteMark", level: "inline", start: firstOf(/\[\^/),
  tokenizer(text) {
    const found = /^\[\^([\w-]{1,30})\](?!:)/.exec(text);
    return found ? { type: "noteMark", raw: found[0], id: found[1] } : undefined;
  },
  renderer: ({ id }) => `<sup><button type="button" class="note" data-note="${escape(id)}" aria-label="${escape(t("note", { n: id }))}">${escape(id)}</button></sup>`,
};

const note = {
  name: "note", level: "block", start: firstOf(/^\[\^/m),
  tokenizer(text) {
    const found = /^\[\^([\w-]{1,30})\]:[ \t]*([^\n]*(?:\n(?: {2,}|\t)[^\n]+)*)(?:\n|$)/.exec(text);
    return found ? { type: "note", raw: found[0], id: found[1], tokens: this.lexer.inlineTokens(found[2]) } : undefined;
  },
  renderer(token) { return `<p class="note-text" data-note="${escape(token.id)}" tabindex="-1"><sup>${escape(token.id)}</sup> ${this.parser.parseInline(token.tokens)}</p>`; },
};

// A fold that the model wrote in HTML; Markdown in it counts.
const fold = {
  name: "fold", level: "block", start: firstOf(/^<details/im),
  tokenizer(text) {
    const found = /^<details[^>\n]{0,100}>\s*<summary>([^\n]{0,500}?)<\/summary>([\s\S]*?)(?:<\/details>[ \t]*(?:\n|$)|$)/i.exec(text);
    if (!found) return undefined;
    return { type: "fold", raw: found[0], head: this.lexer.inlineTokens(found[1]), tokens: this.lexer.blockTokens(found[2].trim(), []) };
  },
  renderer(token) { return `<details><summary>${this.parser.parseInline(token.head)}</summary>${this.parser.parse(token.tokens)}</details>`; },
};

const plain = {
  html: ({ text }) => (PLAIN_TAG.test(text.trim()) ? text : escape(text)),
  checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
};

const renderer = {
  ...plain,
  code({ text, lang }) {
    const name = /^[\w+#.-]+/.exec(lang ?? "")?.[0] ?? "";
    return `<div class="code"><div class="bar"><span>${escape(name)}</span><button type="button" class="quiet" data-copy="">${escape(t("copy"))}</button></div>`
      + `<pre tabindex="0"><code class="language-${escape(name)}">${escape(text)}\n</code></pre></div>`;
  },
};

const answers = new Marked({ gfm: true, breaks: true, renderer, extensions: [mathBlock, math, citation, noteMark, note, fold] });
const pages = new Marked({ gfm: true, breaks: true, renderer: plain });

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName === "A") {
    node.setAttribute("target", "_blank");
    node.setAttribute("rel", "noopener noreferrer nofollow");
  }
  // A picture from elsewhere would tell that site who reads what: it is a link to follow instead.
  const src = node.tagName === "IMG" ? node.getAttribute("src") ?? "" : "data:image/png;";
  if (!/^data:image\/(png|jpe?g|gif|webp);/i.test(src)) {
    const words = node.getAttribute("alt") || src;
    const outside = /^https?:\/\//i.test(src);
    const shown = document.createElement(outside ? "a" : "span");
    shown.textContent = outside ? `${words} ↗` : words;
    if (outside) for (const [name, value] of Object.entries({ href: src, class: "outside", target: "_blank", rel: "noopener noreferrer nofollow" })) shown.setAttribute(name, value);
    node.replaceWith(shown);
  }
});

const RULES = {
  ALLOWED_TAGS: ["p", "br", "hr", "em", "strong", "del", "a", "ul", "ol", "li", "code", "pre", "blockquote", "h1", "h2", "h3", "h4", "h5",
    "h6", "table", "thead", "tbody", "tr", "th", "td", "span", "div", "button", "img", "sup", "sub", "u", "kbd", "details", "summary"],
  ALLOWED_ATTR: ["href", "title", "alt", "src", "class", "data-cite", "data-copy", "data-csv", "data-note", "data-tex", "data-block", "type", "align", "start", "tabindex", "aria-label"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|data:image\/(?:png|jpe?g|gif|webp);|#)/i,
  ADD_URI_SAFE_ATTR: ["type", "align", "start", "tabindex"],
  RETURN_TRUSTED_TYPE: true,
};

const sanitize = (html) => DOMPurify.sanitize(html, RULES);

const MOST_KEPT = 2000;
const kept = new Map();

// Gives the HTML of each block. A block that was seen before is the very same object, so that it is not drawn again.
// `known`: the numbers that are citations; without it all are.
export function answerBlocks(text, known) {
  const options = { ...answers.defaults, known };
  const tokens = answers.lexer(text, options);
  const named = `${t("copy")} ${known ? [...known] : "all"} ${Object.keys(tokens.links)} `;
  if (kept.size > MOST_KEPT) kept.clear();
  return tokens.filter((token) => token.type !== "space").map((token) => {
    const key = named + token.raw;
    if (!kept.has(key)) kept.set(key, sanitize(blockHtml(token, options)));
    return kept.get(key);
  });
}

function blockHtml(token, options) {
  const html = answers.parser([token], options);
  return token.type === "table" ? `<div class="table-box"><div class="table" tabindex="0">${html}</div><button type="button" class="quiet" data-csv="">${escape(t("copyCsv"))}</button></div>` : html;
}

export const pageHtml = (markdown) => sanitize(pages.parse(markdown ?? ""));

export const codeHtml = (html) => DOMPurify.sanitize(html, { ALLOWED_TAGS: ["span"], ALLOWED_ATTR: ["class"], RETURN_TRUSTED_TYPE: true });
