// Draws mathematics and diagrams, and colours code. The libraries are loaded the first time they are needed.
import { codeHtml } from "./markdown.js";

const LONGEST_CODE = 50_000;

export async function enrich(root) {
  const formulas = root.querySelectorAll(".math:not([data-done])");
  const drawings = root.querySelectorAll("code:is(.language-mermaid, .language-svg):not([data-done])");
  const codes = root.querySelectorAll("code[class*=language-]:not([data-coloured], .language-mermaid)");
  drawings.forEach((code) => { code.dataset.done = "1"; });
  await Promise.all([formulas.length && drawFormulas(formulas), codes.length && colour(codes), drawings.length && draw(drawings)]);
}

async function drawFormulas(elements) {
  await import("../vendor/katex-0.19.1.js");
  for (const element of elements) {
    element.dataset.done = "1";
    const options = { output: "mathml", throwOnError: false, displayMode: element.dataset.block === "true", trust: false, strict: "ignore" };
    globalThis.katex.render(element.dataset.tex, element, options);
  }
}

async function draw(elements) {
  const { drawAll } = await import("./drawings.js");
  await drawAll(elements);
}

async function colour(elements) {
  const { default: highlighter } = await import("../vendor/highlight-11.12.0.js");
  for (const element of elements) {
    element.dataset.coloured = "1";
    const language = /language-([^\s]+)/.exec(element.className)?.[1];
    if (!highlighter.getLanguage(language) || element.textContent.length > LONGEST_CODE) continue;
    element.innerHTML = codeHtml(highlighter.highlight(element.textContent, { language }).value);
  }
}
