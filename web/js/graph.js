// A drawing of the server's graph that lights up where the turn is.
import { nodeName, t } from "./i18n.js";
import { html } from "./preact.js";
import { layOut, NODE } from "./layout.js";
import { useStore } from "./store.js";

export function Graph({ message }) {
  const { graph } = useStore();
  if (!graph) return "";
  const taken = message?.nodes ?? [];
  const runs = Object.fromEntries(graph.nodes.map(({ name }) => [name, taken.filter((node) => node.name === name)]));
  const active = Object.keys(runs).filter((name) => lookOf(runs[name]) === "active");
  const { width, height, places, lines } = layOut(graph);
  return html`
    <svg class="graph" viewBox="0 0 ${width} ${height}" role="img" aria-label=${`${t("graph")}: ${active.map((name) => nodeName(name, graph)).join(", ") || t("idle")}`}>
      <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" /></marker></defs>
      ${graph.edges.map(([from, to], i) => html`<path key=${i} d=${lines[i]} class="edge ${isTaken(taken, graph.edges, from, to) ? "past" : ""}" marker-end="url(#arrow)" />`)}
      ${graph.nodes.map(({ name }) => html`<${Node} key=${name} name=${name} label=${nodeName(name, graph)} place=${places[name]} runs=${runs[name]} />`)}
    </svg>
    <p class="quiet">${t("graphHint")}</p>`;
}

function Node({ name, label, place: { x, y }, runs }) {
  const seconds = runs.reduce((sum, run) => sum + (run.seconds ?? 0), 0);
  const count = runs.length > 1 ? ` ×${runs.length}` : "";
  return html`<g class=${lookOf(runs)} data-node=${name}>
    <rect x=${x - NODE.width / 2} y=${y - NODE.height / 2} width=${NODE.width} height=${NODE.height} rx="9" />
    <text x=${x} y=${y + (seconds ? -1 : 4)} text-anchor="middle">${label}${count}</text>
    ${seconds > 0 && html`<text class="time" x=${x} y=${y + 12} text-anchor="middle">${t("seconds", { n: seconds.toFixed(2) })}</text>`}</g>`;
}

function lookOf(runs) {
  if (runs.some((run) => run.state === "start")) return "active";
  if (runs.some((run) => run.state === "error")) return "failed";
  return runs.length ? "past" : "";
}

// A step leads straight to a later one unless another that lies between them on the map was taken in between.
function isTaken(taken, edges, from, to) {
  const leads = (a, b) => edges.some(([source, target]) => source === a && target === b);
  return taken.some((end, j) => end.name === to && taken.slice(0, j).some((start, i) => start.name === from
    && !taken.slice(i + 1, j).some(({ name }) => leads(from, name) && leads(name, to))));
}
