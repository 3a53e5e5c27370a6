// A drawing of the graph that lights up where the turn is.
import { html } from "../vendor/htm-preact.js";
import { nodeName, t } from "./i18n.js";

const PLACES = {
  detect_modality: [150, 30], ingest_document: [75, 95], read_image: [225, 95], recall: [150, 160], select_tools: [150, 225],
  generate_answer: [150, 290], run_tools: [255, 355], verify_citations: [110, 375], remember: [110, 440],
};
const EDGES = [
  ["detect_modality", "ingest_document"], ["detect_modality", "read_image"], ["detect_modality", "recall"], ["ingest_document", "recall"],
  ["read_image", "recall"], ["recall", "select_tools"], ["select_tools", "generate_answer"], ["generate_answer", "run_tools"],
  ["run_tools", "generate_answer"], ["generate_answer", "verify_citations"], ["verify_citations", "remember"],
];

export function Graph({ nodes }) {
  const states = {};
  for (const node of nodes) states[node.name] = node.state === "start" ? "active" : node.state === "error" ? "failed" : states[node.name] === "active" ? "active" : "past";
  const running = new Set(nodes.filter((node) => node.state === "start").map((node) => node.name));
  const look = (name) => (running.has(name) ? "active" : states[name] ?? "");
  const line = ([from, to]) => {
    const [x1, y1] = PLACES[from];
    const [x2, y2] = PLACES[to];
    return html`<line key=${from + to} x1=${x1} y1=${y1 + 15} x2=${x2} y2=${y2 - 15} class=${states[from] && states[to] ? "past" : ""} marker-end="url(#arrow)" />`;
  };
  return html`
    <svg class="graph" viewBox="0 0 330 470" role="img" aria-label=${`${t("graph")}: ${[...running].map(nodeName).join(", ")}`}>
      <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0L8 4L0 8z" /></marker></defs>
      ${EDGES.map(line)}
      ${Object.entries(PLACES).map(([name, [x, y]]) => html`
        <g key=${name} class=${look(name)} data-node=${name}><rect x=${x - 68} y=${y - 15} width="136" height="30" rx="8" />
          <text x=${x} y=${y + 4} text-anchor="middle">${nodeName(name)}</text></g>`)}
    </svg>`;
}
