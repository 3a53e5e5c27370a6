// How a turn went, for those who want to know: steps with their times, tools with what they were given, the graph.
import { html } from "./preact.js";
import { Graph } from "./graph.js";
import { nodeName, t, toolName } from "./i18n.js";
import { state } from "./store.js";

export function View({ message }) {
  const tools = (message?.tools ?? []).filter((tool) => !tool.agent);
  const agents = (message?.agents ?? []).filter((agent) => !agent.parent);
  const nodes = message?.nodes ?? [];
  return html`
    ${!tools.length && !agents.length && !nodes.length && html`<p class="quiet">${t("noActivity")}</p>`}
    ${nodes.length > 0 && html`<ol class="activity" aria-label=${t("steps")}>${nodes.map((node) => html`<${Step} key=${node.id} node=${node} />`)}</ol>`}
    ${tools.length > 0 && html`<h3>${t("tools")}</h3><ol class="activity">${tools.map((tool, i) => html`<${Tool} key=${i} tool=${tool} />`)}</ol>`}
    ${agents.length > 0 && html`<h3>${t("agents")}</h3><ol class="activity">${agents.map((agent) => html`<${Agent} key=${agent.id} agent=${agent} message=${message} />`)}</ol>`}
    ${message?.seconds && html`<p class="quiet">${t("inAll", { n: message.seconds.toFixed(1) })}</p>`}
    <h3>${t("graph")}</h3><${Graph} message=${message} />`;
}

const Step = ({ node }) => html`<li class=${node.state}><span>${nodeName(node.name, state.graph)}</span>
  <small>${node.state === "start" ? t("running") : node.state === "error" ? t("failed") : node.seconds === undefined ? "" : t("seconds", { n: node.seconds.toFixed(2) })}</small></li>`;

// What a specialist was asked, and below it what it called and whom it asked.
function Agent({ agent, message }) {
  const tools = message.tools.filter((tool) => tool.agent === agent.id);
  const asked = message.agents.filter((other) => other.parent === agent.id);
  const details = [t(agent.status), agent.seconds > 0 && t("seconds", { n: agent.seconds.toFixed(2) })];
  return html`<li class=${agent.status === "failed" ? "error" : agent.status} data-agent=${agent.agent}><span>${nodeName(agent.agent, state.graph)}</span> <small>${details.filter(Boolean).join(" · ")}</small>
    <p class="task" dir="auto">${agent.task}</p>
    ${tools.length + asked.length > 0 && html`<ol class="activity">
      ${tools.map((tool, i) => html`<${Tool} key=${i} tool=${tool} />`)}
      ${asked.map((other) => html`<${Agent} key=${other.id} agent=${other} message=${message} />`)}</ol>`}</li>`;
}

function Tool({ tool }) {
  const details = [t(tool.status), tool.cached && t("cached"), tool.seconds !== undefined && t("seconds", { n: tool.seconds.toFixed(2) })];
  return html`<li class=${tool.status}><span title=${tool.name}>${toolName(tool.name, state.health?.tools)}</span> <small>${details.filter(Boolean).join(" · ")}</small>
    ${Object.keys(tool.arguments ?? {}).length > 0 && html`<pre dir="auto">${JSON.stringify(tool.arguments, null, 1)}</pre>`}</li>`;
}
