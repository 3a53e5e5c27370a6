// Markdown to safe HTML. Nothing that a model, a document or a file name says reaches the page without DOMPurify.
import { marked } from "../vendor/marked.js";
import DOMPurify from "../vendor/purify.js";

const MATH = /\$\$([\s\S]+?)\$\$|\\\[([\s\S]+?)\\\]|\\\(([\s\S]+?)\\\)|\$([^\s$](?:[^$\n]*[^\s$\\])?)\$(?!\d)/;
const MARKER = /^[[【](\d{1,3})(?:\s*[:：,，]?\s*["“「『][^\]】]*?["”」』])?\s*[\]】]/;

marked.use({
  gfm: true,
  breaks: true,
  extensions: [
    {
      name: "math", level: "inline",
      start: (text) => { const at = text.search(/\$|\\\(|\\\[/); return at < 0 ? undefined : at; },
      tokenizer(text) {
        const found = MATH.exec(text);
        if (!found || found.index !== 0) return undefined;
        return { type: "math", raw: found[0], tex: found[1] ?? found[2] ?? found[3] ?? found[4], block: found[3] === undefined && found[4] === undefined };
      },
      renderer: (token) => `<span class="math" data-block="${token.block}" data-tex="${escape(token.tex)}"></span>`,
    },
    {
      name: "citation", level: "inline",
      start: (text) => { const at = text.search(/[[【]\d{1,3}/); return at < 0 ? undefined : at; },
      tokenizer(text) {
        const found = MARKER.exec(text);
        return found && !text.slice(found[0].length).startsWith("(") ? { type: "citation", raw: found[0], number: found[1] } : undefined;
      },
      renderer: (token) => `<button type="button" class="cite" data-cite="${token.number}">${token.number}</button>`,
    },
  ],
});

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName === "A") {
    node.setAttribute("target", "_blank");
    node.setAttribute("rel", "noopener noreferrer nofollow");
  }
  // A picture from elsewhere would tell that site who reads what: show its address instead.
  if (node.tagName === "IMG" && !/^(data:image\/(png|jpe?g|gif|webp);|blob:)/i.test(node.getAttribute("src") ?? "")) {
    const link = document.createElement("span");
    link.textContent = node.getAttribute("alt") || node.getAttribute("src") || "";
    node.replaceWith(link);
  }
});

const RULES = {
  ALLOWED_TAGS: ["p", "br", "hr", "em", "strong", "del", "a", "ul", "ol", "li", "code", "pre", "blockquote", "h1", "h2", "h3", "h4", "h5",
    "h6", "table", "thead", "tbody", "tr", "th", "td", "span", "button", "img", "sup", "sub", "input"],
  ALLOWED_ATTR: ["href", "title", "alt", "src", "class", "data-cite", "data-tex", "data-block", "type", "align", "start", "checked", "disabled"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|data:image\/(?:png|jpe?g|gif|webp);|#)/i,
};

function escape(text) {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

export function toHtml(markdown) {
  return DOMPurify.sanitize(marked.parse(markdown ?? ""), RULES);
}

// Colours code and draws mathematics inside `root`; both libraries are loaded the first time they are needed.
export async function enrich(root) {
  const formulas = root.querySelectorAll(".math:not([data-done])");
  const blocks = root.querySelectorAll("pre code[class*=language-]:not([data-done])");
  if (formulas.length) {
    const katex = await loadKatex();
    for (const element of formulas) {
      element.dataset.done = "1";
      katex.render(element.dataset.tex, element, { output: "mathml", throwOnError: false, displayMode: element.dataset.block === "true", trust: false });
    }
  }
  if (blocks.length) {
    const { default: highlighter } = await import("../vendor/highlight.js");
    for (const element of blocks) {
      element.dataset.done = "1";
      highlighter.highlightElement(element);
    }
  }
}

let katexLoading;
function loadKatex() {
  katexLoading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("../vendor/katex.js", import.meta.url).href;
    script.onload = () => resolve(globalThis.katex);
    script.onerror = reject;
    document.head.append(script);
  });
  return katexLoading;
}
