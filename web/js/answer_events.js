// What each event of a run does to the answer that is shown. Pure: gives a new answer, changes none.
import { newId } from "./store.js";

export const emptyAnswer = (runId = null) =>
  ({ key: newId(), role: "assistant", text: "", runId, state: "running", attachments: [], citations: [], tools: [], agents: [], artifacts: [], nodes: [], steps: [], warnings: [], questions: [] });

const replaced = (list, at, item) => (at < 0 ? [...list, item] : list.map((old, i) => (i === at ? item : old)));

// Calls of the assistant itself, not of its specialists.
export const own = (tools) => tools.filter((tool) => !tool.agent);

const ACTIONS = {
  run: (answer, data) => ({ ...(data.begins_again ? begunAgain(answer, data.begins_again) : answer), runId: data.run_id }),
  node(answer, data) {
    const at = answer.nodes.findIndex((node) => node.id === data.id);
    const nodes = replaced(answer.nodes, at, { ...answer.nodes[at], ...data });
    // A further round of the model starts its answer anew; what it said and thought before stays above it.
    const again = data.name === "generate_answer" && data.state === "start" && at < 0;
    // The same round once more, on another server: what it had said is said again.
    if (data.name === "generate_answer" && data.state === "start" && at >= 0) return { ...answer, nodes, text: "", reasoning: "", reasoning_seconds: 0, thinkingSince: null };
    if (!again || !(answer.text || answer.reasoning || answer.tools.length || answer.agents.length)) return { ...answer, nodes };
    const { text, reasoning, reasoning_seconds, tools } = thought(answer);
    return { ...answer, nodes, steps: [...answer.steps, { text, reasoning, reasoning_seconds, tools: own(tools).length, agents: answer.agents.filter((agent) => !agent.parent).length }], text: "", reasoning: "", reasoning_seconds: 0, thinkingSince: null };
  },
  token: (answer, data) => ({ ...thought(answer), text: answer.text + data.text }),
  reasoning: (answer, data) => ({ ...answer, reasoning: (answer.reasoning ?? "") + data.text, thinkingSince: answer.thinkingSince ?? Date.now() }),
  attachment(answer, data) {
    const at = answer.attachments.findIndex((item) => item.id === data.id && item.name === data.name);
    return { ...answer, attachments: replaced(answer.attachments, at, data) };
  },
  tool(answer, data) {
    const same = (tool) => tool.agent === data.agent && (data.call_id ? tool.call_id === data.call_id : tool.name === data.name && tool.status === "running");
    const open = data.status === "running" ? -1 : answer.tools.findLastIndex(same);
    return { ...answer, tools: replaced(answer.tools, open, { ...answer.tools[open], ...data }) };
  },
  agent(answer, data) {
    const at = answer.agents.findIndex((agent) => agent.id === data.id);
    return { ...answer, agents: replaced(answer.agents, at, data) };
  },
  citation: (answer, data) => ({ ...answer, citations: [...answer.citations, data] }),
  usage: (answer, data) => ({ ...answer, usage: data }),
  warning: (answer, data) => ({ ...answer, warnings: [...answer.warnings, data.message ?? String(data)] }),
  gap: (answer, data) => (data.result ? finished(answer, data.result) : answer),
  waiting: (answer, data) => ({ ...answer, state: "waiting", questions: data.questions, runId: data.run_id, warnings: data.warnings ?? answer.warnings }),
  answered: (answer) => ({ ...answer, state: "running", questions: [] }),
  done: (answer, data) => finished(answer, data),
  error: (answer, data) => ({ ...finished(answer, data), state: "error", error: data.error ?? data }),
};

// Another server goes on with the run, from its last finished step or from the start: what had not ended is told again.
function begunAgain(answer, what) {
  if (what === "turn") return { ...emptyAnswer(), key: answer.key, attachments: answer.attachments };
  const open = answer.nodes.some((node) => node.name === "generate_answer" && node.state === "start");
  const ended = (list) => list.filter((item) => item.status !== "running");
  return { ...answer, ...(open ? { text: "", reasoning: "", reasoning_seconds: 0, thinkingSince: null } : {}), tools: ended(answer.tools), agents: ended(answer.agents) };
}

// An answer that has come to the end of a thought.
function thought(answer) {
  if (!answer.thinkingSince) return answer;
  const seconds = (answer.reasoning_seconds ?? 0) + (Date.now() - answer.thinkingSince) / 1000;
  return { ...answer, thinkingSince: null, reasoning_seconds: seconds };
}

function finished(answer, data) {
  return {
    ...thought(answer),
    state: data.state ?? "done",
    text: data.answer ?? answer.text,
    messageId: data.message_id ?? answer.messageId,
    citations: data.citations ?? answer.citations,
    attachments: data.attachments?.length ? data.attachments : answer.attachments,
    tools: data.tools?.length ? data.tools : answer.tools,
    agents: data.agents?.length ? data.agents : answer.agents,
    artifacts: data.artifacts ?? answer.artifacts,
    usage: data.usage ?? answer.usage,
    warnings: data.warnings ?? answer.warnings,
    memories: data.memories ?? answer.memories,
    nodes: answer.nodes.map((node) => (node.state === "start" ? { ...node, state: "end" } : node)),
  };
}

export const applyEvent = (answer, event, data) => ACTIONS[event]?.(answer, data) ?? answer;
