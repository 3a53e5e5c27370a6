// Messages of a conversation as the server keeps them.
import { getJson, sessionPath } from "./api.js";
import { newId } from "./store.js";

const PAGE = 60;

// The end of a conversation: its messages, and how many there are before them.
export async function fetchEnd(id) {
  const page = await getJson(sessionPath(id, `?newest=true&limit=${PAGE}`));
  return { messages: shown(page.messages), earlier: page.offset };
}

// The messages before the first `earlier` ones that are not loaded yet.
export async function fetchBefore(id, earlier) {
  const first = Math.max(0, earlier - PAGE);
  const page = await getJson(sessionPath(id, `?offset=${first}&limit=${earlier - first}`));
  return { messages: shown(page.messages), earlier: first };
}

const EMPTY = { attachments: [], citations: [], tools: [], agents: [], artifacts: [], nodes: [], steps: [], warnings: [], state: "done" };

// A question names its files by id alone; what they are stands with the answer.
function shown(entries) {
  const files = new Map(entries.flatMap((entry) => entry.attachments ?? []).filter((file) => file.kind).map((file) => [file.id, file]));
  return entries.map(({ run_id: runId, attachments = [], ...entry }) => ({
    ...EMPTY, ...entry, text: entry.text ?? "", runId, key: newId(), attachments: attachments.map((file) => files.get(file.id) ?? file),
  }));
}
