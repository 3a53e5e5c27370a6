// Finds quoted words in what is shown of a page, although Markdown, line breaks and type have changed in between.
const SKIPPED = /[\s*_`|#>\\[\]()~=+\-"“”„‟«»‹›'‘’「」『』•·●]/u;

// Letters that count, each with the place where it came from.
export function folded(text) {
  const letters = [];
  const places = [];
  for (let i = 0; i < text.length; i += 1) {
    for (const letter of text[i].normalize("NFKC").toLowerCase()) {
      if (SKIPPED.test(letter)) continue;
      letters.push(letter);
      places.push(i);
    }
  }
  return { text: letters.join(""), places };
}

// The start of `needle` in `text` that is nearest to `near`, or -1.
export function nearest(text, needle, near) {
  let best = -1;
  for (let at = needle ? text.indexOf(needle) : -1; at >= 0; at = text.indexOf(needle, at + 1)) {
    if (best < 0 || Math.abs(at - near) < Math.abs(best - near)) best = at;
  }
  return best;
}

// Marks the occurrence of `quote` in `root` that has about the text `before` in front of it; gives its first part.
export function markQuote(root, quote, before = "") {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const nodes = [];
  let whole = "";
  while (walker.nextNode()) {
    nodes.push({ node: walker.currentNode, start: whole.length });
    whole += walker.currentNode.data;
  }
  const page = folded(whole);
  const needle = folded(quote).text;
  const at = nearest(page.text, needle, folded(before).text.length);
  if (at < 0) return null;
  const from = page.places[at];
  const to = page.places[at + needle.length - 1] + 1;
  const marks = nodes.map(({ node, start }) => wrap(node, Math.max(0, from - start), Math.min(node.length, to - start)));
  return marks.find(Boolean) ?? null;
}

function wrap(node, from, to) {
  if (from >= to || !node.data.slice(from, to).trim()) return null;
  const range = document.createRange();
  range.setStart(node, from);
  range.setEnd(node, to);
  const mark = document.createElement("mark");
  range.surroundContents(mark);
  return mark;
}
