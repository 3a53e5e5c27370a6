// An answer's text on the page. While it grows it is parsed some times a second, and only blocks that changed are drawn.
import { html, useEffect, useMemo, useRef, useState } from "./preact.js";
import { t } from "./i18n.js";
import { memo, notify } from "./store.js";
import { holdBack } from "./unfinished.js";

// The parser is not needed for the first paint.
let parser = null;
let parsing = null;

export const loadParser = () => (parsing ??= Promise.all([import("./markdown.js"), import("./enrich.js")]).then(([markdown, { enrich }]) => { parser = { ...markdown, enrich }; }));

function useParser() {
  const [, draw] = useState(0);
  const ready = parser;  // it may come between drawing and the effect
  useEffect(() => { if (!ready) loadParser().then(() => draw((n) => n + 1), notify); }, []);
  return ready;
}

const LEAST_PAUSE_MS = 60;
const SHARE_OF_TIME = 8;   // parsing takes at most one part in so many

export function Markdown({ text, citations, growing }) {
  const ready = useParser();
  const shown = useSlowly(text, growing);
  const blocks = useMemo(() => {
    if (!ready) return null;
    const known = growing ? null : new Set(citations.map((item) => item.number));
    return shown.measure(() => ready.answerBlocks(growing ? holdBack(shown.text) : shown.text, known));
  }, [shown.text, growing, citations, t("copy"), ready]);
  if (!blocks) return html`<div class="markdown unparsed" dir="auto">${shown.text}</div>`;
  return html`<div class="markdown">${blocks.map((block, i) => html`<${Block} key=${i} block=${block} growing=${growing && i === blocks.length - 1} />`)}</div>`;
}

// Gives the newest text, but while it grows only as often as drawing it is cheap.
function useSlowly(text, growing) {
  const [, draw] = useState(0);
  const pace = useRef({ text, cost: 0, at: 0, timer: 0 }).current;
  useEffect(() => () => clearTimeout(pace.timer), []);
  const measure = (work) => {
    const start = performance.now();
    const result = work();
    Object.assign(pace, { cost: performance.now() - start, at: performance.now() });
    return result;
  };
  const wait = pace.at + Math.max(LEAST_PAUSE_MS, pace.cost * SHARE_OF_TIME) - performance.now();
  clearTimeout(pace.timer);
  if (!growing || wait <= 0 || !pace.text) pace.text = text;
  else if (text !== pace.text) pace.timer = setTimeout(() => draw((n) => n + 1), wait);
  return { text: pace.text, measure };
}

const Block = memo(({ block, growing }) => {
  const box = useRef(null);
  // A formula or code block is drawn when it is whole.
  useEffect(() => { if (!growing && box.current) parser.enrich(box.current).catch(notify); }, [block, growing]);
  return html`<div ref=${box} dir="auto" dangerouslySetInnerHTML=${{ __html: block }}></div>`;
});
