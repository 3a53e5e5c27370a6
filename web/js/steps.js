// What came before an answer: thoughts, words, and calls of tools with their results, in the order of their happening.
import { own } from "./answer_events.js";
import { duration, nodeName, t, toolName } from "./i18n.js";
import { Markdown } from "./markdown_view.js";
import { html, useEffect, useState } from "./preact.js";
import { state } from "./store.js";

const NONE = [];

export function Steps({ message }) {
  const { steps } = message;
  return html`
    ${steps.map((step, i) => html`<div class="step" key=${i}>
      <${Thought} text=${step.reasoning} seconds=${step.reasoning_seconds} />
      ${step.text && html`<${Markdown} text=${step.text} citations=${NONE} />`}
      <${Calls} message=${message} from=${steps[i - 1]} to=${step} />
    </div>`)}
    <${Thought} text=${message.reasoning} seconds=${message.reasoning_seconds} since=${message.thinkingSince} />
    ${message.state !== "running" && html`<${Calls} message=${message} from=${steps.at(-1)} />`}`;
}

// Tools and specialists that were called between two answers of the model.
export function Calls({ message, from, to }) {
  const tools = own(message.tools).slice(from?.tools ?? 0, to?.tools);
  const agents = message.agents.filter((agent) => !agent.parent).slice(from?.agents ?? 0, to?.agents);
  return html`<${Tools} tools=${tools} /><${Agents} agents=${agents} message=${message} />`;
}

// Folded, with the seconds that it took so far.
function Thought({ text, seconds, since }) {
  const [, draw] = useState(0);
  useEffect(() => {
    if (!since) return undefined;
    const timer = setInterval(() => draw((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, [since]);
  if (!text) return "";
  const all = (seconds ?? 0) + (since ? (Date.now() - since) / 1000 : 0);
  return html`<details class="reasoning"><summary class=${since ? "live" : ""}>${t(since ? "reasons" : "reasoning")}${all >= 0.1 ? ` · ${t("seconds", { n: all.toFixed(all < 10 ? 1 : 0) })}` : ""}</summary><div dir="auto">${text}</div></details>`;
}

export const Tools = ({ tools }) => (tools.length ? html`<ul class="calls">${tools.map((tool, i) => html`<li key=${tool.call_id ?? i}><${Tool} tool=${tool} /></li>`)}</ul>` : "");

function Tool({ tool }) {
  const given = Object.entries(tool.arguments ?? {});
  const details = [t(tool.status), tool.approved && t(`approved-${tool.approved}`), tool.cached && (tool.age === undefined ? t("cached") : t("fetched", { age: duration(tool.age) })), tool.seconds !== undefined && tool.status !== "running" && t("seconds", { n: tool.seconds.toFixed(2) })];
  const brief = given.map(([, value]) => (typeof value === "string" ? value : JSON.stringify(value))).join(", ");
  return html`<details class="tool ${tool.status}">
    <summary><span title=${tool.name}>${toolName(tool.name, state.health?.tools)}</span> <bdi class="brief">${brief.slice(0, 80)}</bdi> <small>${details.filter(Boolean).join(" · ")}</small></summary>
    ${given.length > 0 && html`<p class="label">${t("arguments")}</p><pre dir="auto" tabindex="0">${JSON.stringify(tool.arguments, null, 1)}</pre>`}
    ${tool.synopsis && html`<p class="label">${t("result")}</p><pre dir="auto" tabindex="0">${tool.synopsis}</pre>`}
  </details>`;
}

export const Agents = ({ agents, message }) => (agents.length ? html`<ul class="calls">${agents.map((agent) => html`<li key=${agent.id}><${Agent} agent=${agent} message=${message} /></li>`)}</ul>` : "");

// What a specialist was asked, and below it what it called and whom it asked.
function Agent({ agent, message }) {
  const details = [t(agent.status), agent.seconds > 0 && t("seconds", { n: agent.seconds.toFixed(2) })];
  return html`<details class="tool ${agent.status === "failed" ? "error" : agent.status}" data-agent=${agent.agent}>
    <summary><span>${nodeName(agent.agent, state.graph)}</span> <bdi class="brief">${agent.task.slice(0, 80)}</bdi> <small>${details.filter(Boolean).join(" · ")}</small></summary>
    <p class="task" dir="auto">${agent.task}</p>
    <${Tools} tools=${message.tools.filter((tool) => tool.agent === agent.id)} />
    <${Agents} agents=${message.agents.filter((other) => other.parent === agent.id)} message=${message} />
  </details>`;
}
