// A drawing of the graph that lights up where the turn is.
import { html } from "../vendor/htm-preact.js";
import { nodeName, t } from "./i18n.js";

const PLACES = {
  detect_modality: [170, 30], ingest_document: [85, 100], read_image: [255, 100], recall: [170, 170], select_tools: [170, 230],
  generate_answer: [170, 290], run_tools: [262, 362], verify_citations: [104, 380], remember: [104, 440],
};
const LINES = [
  "M150 45C140 65 105 65 95 83", "M190 45C200 65 235 65 245 83", "M170 45V153", "M95 115C105 135 140 135 150 153", "M245 115C235 135 200 135 190 153",
  "M170 185V213", "M170 245V273", "M215 305C235 320 245 325 250 345", "M285 347C290 310 275 295 244 291", "M145 305C115 325 105 340 104 363", "M104 395V423",
];
const EDGES = [
  ["detect_modality", "ingest_document"], ["detect_modality", "read_image"], ["detect_modality", "recall"], ["ingest_document", "recall"],
  ["read_image", "recall"], ["recall", "select_tools"], ["select_tools", "generate_answer"], ["generate_answer", "run_tools"],
  ["run_tools", "generate_answer"], ["generate_answer", "verify_citations"], ["verify_citations", "remember"],
];

export function Graph({ message }) {
  const nodes = message?.nodes ?? [];
  const runs = Object.fromEntries(Object.keys(PLACES).map((name) => [name, nodes.filter((node) => node.name === name)]));
  const active = Object.keys(PLACES).filter((name) => lookOf(runs[name]) === "active");
  return html`
    <svg class="graph" viewBox="0 0 340 470" role="img" aria-label=${`${t("graph")}: ${active.map(nodeName).join(", ") || t("idle")}`}>
      <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" /></marker></defs>
      ${EDGES.map(([from, to], i) => html`<path key=${i} d=${LINES[i]} class="edge ${isTaken(runs, from, to) ? "past" : ""}" marker-end="url(#arrow)" />`)}
      ${Object.entries(PLACES).map(([name, [x, y]]) => html`<${Node} key=${name} name=${name} x=${x} y=${y} runs=${runs[name]} />`)}
    </svg>
    <p class="quiet">${t("graphHint")}</p>`;
}

function Node({ name, x, y, runs }) {
  const seconds = runs.reduce((sum, run) => sum + (run.seconds ?? 0), 0);
  const count = runs.length > 1 ? ` ×${runs.length}` : "";
  return html`<g class=${lookOf(runs)} data-node=${name}>
    <rect x=${x - 74} y=${y - 17} width="148" height="34" rx="9" />
    <text x=${x} y=${y + (seconds ? -1 : 4)} text-anchor="middle">${nodeName(name)}${count}</text>
    ${seconds > 0 && html`<text class="time" x=${x} y=${y + 12} text-anchor="middle">${t("seconds", { n: seconds.toFixed(2) })}</text>`}</g>`;
}

function lookOf(runs) {
  if (runs.some((run) => run.state === "start")) return "active";
  if (runs.some((run) => run.state === "error")) return "failed";
  return runs.length ? "past" : "";
}

// The direct way to `recall` is only taken when there is nothing to read.
function isTaken(runs, from, to) {
  if (from === "detect_modality" && to === "recall" && (runs.ingest_document.length || runs.read_image.length)) return false;
  if (from === "run_tools" && runs.generate_answer.length < 2) return false;
  return runs[from].length > 0 && runs[to].length > 0;
}
