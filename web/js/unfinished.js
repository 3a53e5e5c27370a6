// The end of a text that is still being written.
const FENCE = /^ {0,3}(```|~~~)/gm;
const OPENED = /[[【](?:\d{1,3}\s*[,，、;；]\s*)*(?:\d{1,3}\s*)?$/;
const QUOTING = /[[【](\d{1,3})\s*[:：,，]?\s*(["“”„‟「『'‘’«‹][^\n]*)?$/;
const CLOSED = /["“”「」『』'’»›]\s*[\]】]/;

// Holds back what may become a citation, so that `[2 "exact wo` does not flicker: only the number is shown.
export function holdBack(text) {
  const line = text.slice(text.lastIndexOf("\n") + 1);
  const inCode = (text.match(FENCE)?.length ?? 0) % 2 === 1 || (line.match(/`/g)?.length ?? 0) % 2 === 1;
  if (inCode) return text;
  const opened = OPENED.exec(line);
  if (opened) return text.slice(0, text.length - opened[0].length);
  const quoting = QUOTING.exec(line);
  if (!quoting || CLOSED.test(quoting[0])) return text;
  return text.slice(0, text.length - quoting[0].length) + (quoting[2] ? `[${quoting[1]}]` : "");
}
