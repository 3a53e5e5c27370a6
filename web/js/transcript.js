// Messages of a conversation as the server keeps them.
import { getJson, sessionPath } from "./api.js";
import { newId } from "./store.js";

const PAGE = 60;

// The end of a conversation: its messages, and how many there are before them.
export async function fetchEnd(id) {
  const page = await getJson(sessionPath(id, `?newest=true&limit=${PAGE}`));
  return { messages: page.messages.map(shown), earlier: page.offset };
}

// The messages before the first `earlier` ones that are not loaded yet.
export async function fetchBefore(id, earlier) {
  const first = Math.max(0, earlier - PAGE);
  const page = await getJson(sessionPath(id, `?offset=${first}&limit=${earlier - first}`));
  return { messages: page.messages.map(shown), earlier: first };
}

const shown = ({ run_id: runId, ...entry }) =>
  ({ attachments: [], citations: [], tools: [], nodes: [], warnings: [], state: "done", ...entry, text: entry.text ?? "", runId, key: newId() });
