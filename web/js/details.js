// How a turn went, for those who want to know: steps with their times, tools with what they were given, the graph.
import { nodeName, t } from "./i18n.js";
import { html } from "./preact.js";
import { Graph } from "./graph.js";
import { Agents, Tools } from "./steps.js";
import { state } from "./store.js";

export function View({ message }) {
  const tools = (message?.tools ?? []).filter((tool) => !tool.agent);
  const agents = (message?.agents ?? []).filter((agent) => !agent.parent);
  const nodes = message?.nodes ?? [];
  return html`
    ${!tools.length && !agents.length && !nodes.length && html`<p class="quiet">${t("noActivity")}</p>`}
    ${nodes.length > 0 && html`<ol class="activity" aria-label=${t("steps")}>${nodes.map((node) => html`<${Step} key=${node.id} node=${node} />`)}</ol>`}
    ${tools.length > 0 && html`<h3>${t("tools")}</h3><${Tools} tools=${tools} />`}
    ${agents.length > 0 && html`<h3>${t("agents")}</h3><${Agents} agents=${agents} message=${message} />`}
    ${message?.seconds && html`<p class="quiet">${t("inAll", { n: message.seconds.toFixed(1) })}</p>`}
    <h3>${t("graph")}</h3><${Graph} message=${message} />`;
}

const Step = ({ node }) => html`<li class=${node.state}><span>${nodeName(node.name, state.graph)}</span>
  <small>${node.state === "start" ? t("running") : node.state === "error" ? t("failed") : node.seconds === undefined ? "" : t("seconds", { n: node.seconds.toFixed(2) })}</small></li>`;
