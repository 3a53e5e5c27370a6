// What a click in the text of an answer does: a note is shown, code or a table is copied.
import { copyText } from "./clipboard.js";
import { t } from "./i18n.js";

export function clickedText(event) {
  const note = event.target.closest?.("button[data-note]");
  if (note) event.currentTarget.querySelector(`.note-text[data-note="${note.dataset.note}"]`)?.focus();
  const csv = event.target.closest?.("[data-csv]");
  if (csv) copyText(csvOf(csv.parentElement.querySelector("table")), (done) => { csv.textContent = t(done ? "copied" : "copyCsv"); });
  const copy = event.target.closest?.("[data-copy]");
  if (copy) copyText(copy.closest(".code").querySelector("code").textContent, (done) => { copy.textContent = t(done ? "copied" : "copy"); });
}

// A cell that a spreadsheet would compute begins with an apostrophe.
function csvOf(table) {
  const cell = ({ textContent: text }) => `"${(/^[=+@\t]|^-(?![\d.,\s]*\d\s*%?$)/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  const copy = table.cloneNode(true);
  copy.querySelectorAll(".cite, .note").forEach((mark) => mark.remove());
  return [...copy.rows].map((row) => [...row.cells].map(cell).join(",")).join("\r\n");
}
