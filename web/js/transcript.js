// Messages of a conversation as the server keeps them.
import { getJson, sessionPath } from "./api.js";
import { newId } from "./store.js";

const PAGE = 60;
// Few enough to be drawn at once on a slow phone.
const END = 24;
const MOST = 1000;

// The end of a conversation: its messages, and how many there are before them.
export async function fetchEnd(id) {
  const page = await getJson(sessionPath(id, `?newest=true&limit=${END}`));
  return { messages: shown(page.messages), earlier: page.offset, title: page.title, persona: page.persona, temporary: page.temporary };
}

// The end of the newest path through a message, from a little before it on.
export async function fetchThrough(id, messageId) {
  const { total, found } = await getJson(sessionPath(id, `?through=${messageId}&newest=true&limit=1`));
  const first = Math.max(0, Math.min(total - END, found - 4));
  const page = await getJson(sessionPath(id, `?through=${messageId}&offset=${first}&limit=${MOST}`));
  return { messages: shown(page.messages), earlier: page.offset, title: page.title, persona: page.persona, temporary: page.temporary };
}

// All messages from number `first` on; the end alone of a very long conversation.
export async function fetchFrom(id, first) {
  const page = await getJson(sessionPath(id, `?offset=${first}&limit=${MOST}`));
  if (page.offset + page.messages.length < page.total || !page.messages.length) return fetchEnd(id);
  return { messages: shown(page.messages), earlier: page.offset, title: page.title, persona: page.persona, temporary: page.temporary };
}

// Tells whether the conversation ends with another message than the one that is shown last. Of a temporary one, whose
// messages have no names and whose failed turns are shown alone, whether there are more than are shown.
export async function hasMoved(id, messages, earlier, temporary) {
  const page = await getJson(sessionPath(id, "?newest=true&limit=1"));
  if (temporary) return page.total > messages.length;
  return page.total !== earlier + messages.length || page.messages.at(-1)?.message_id !== messages.at(-1)?.messageId;
}

// `fresh` with what is shown already of the same messages, so that only what is new is drawn.
export function merged(old, fresh) {
  const names = ({ role, runId, messageId }) => messageId ?? `${role} ${runId}`;
  const known = new Map(old.map((message) => [names(message), message]));
  return fresh.map((message) => {
    const before = known.get(message.messageId) ?? known.get(names({ ...message, messageId: null }));
    if (!before || before.text !== message.text) return message;
    const { messageId, parentId, versions, state, feedback } = message;
    const unchanged = before.messageId && same(before.versions, versions) && before.state === state && before.feedback?.changed === feedback?.changed;
    return unchanged ? before : { ...before, messageId, parentId, versions, state, feedback };
  });
}

// The same for messages without names.
export const mergedByPlace = (old, fresh) =>
  fresh.map((message, at) => (old[at]?.role === message.role && old[at].text === message.text ? old[at] : message));

const same = (a = [], b = []) => a.length === b.length && a.every((id, i) => id === b[i]);

// The messages with what the server knows of the last ones: their ids and versions.
export async function placed(id, messages) {
  const page = await getJson(sessionPath(id, "?newest=true&limit=4"));
  const stored = page.messages.at(-1);
  if (stored?.role !== "assistant" || stored.run_id !== messages.at(-1)?.runId) return messages;
  const ends = new Map(page.messages.map((entry, i) => [messages.length - page.messages.length + i, entry]));
  return messages.map((message, at) => {
    const entry = ends.get(at);
    if (entry?.role !== message.role) return message;
    return { ...message, messageId: entry.message_id, parentId: entry.parent_message_id, versions: entry.versions };
  });
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
  return entries.map(({ run_id: runId, message_id: messageId, parent_message_id: parentId, attachments = [], ...entry }) => ({
    ...EMPTY, ...entry, text: entry.text ?? "", runId, messageId, parentId, key: newId(), attachments: attachments.map((file) => files.get(file.id) ?? file),
  }));
}
