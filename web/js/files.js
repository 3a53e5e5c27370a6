// Files of the message being written: uploaded at once, watched while they are read.
import { getJson, request } from "./api.js";
import { draftOf, keepDraft } from "./drafts.js";
import { t } from "./i18n.js";
import { pause } from "./run_stream.js";
import { newId, notify, set, state } from "./store.js";
import { upload } from "./upload.js";

const FIRST_LOOK_MS = 250;
const SLOWEST_LOOK_MS = 2_500;

export function addFiles(files) {
  const limits = state.health?.limits ?? {};
  for (const file of files) {
    if (limits.max_file_bytes && file.size > limits.max_file_bytes) {
      notify(new Error(t("tooLarge", { name: file.name, limit: Math.floor(limits.max_file_bytes / 1048576) })));
    } else if (limits.max_files && state.files.length >= limits.max_files) {
      notify(new Error(t("tooMany", { limit: limits.max_files })));
      return;
    } else {
      const entry = { key: newId(), file, name: file.name || "clipboard.png", abort: new AbortController() };
      set({ files: [...state.files, entry] });
      uploadOne(entry);
    }
  }
}

export function retryUpload(entry) {
  uploadOne({ ...entry, abort: new AbortController() });
}

// Shows the uploaded files of a draft in its conversation, and goes on watching those that are still being read.
export function takeFiles(sessionId) {
  if (state.sessionId !== sessionId || state.files.length) return;
  set({ files: draftOf(sessionId).files.map((attachment) => entryOf(attachment)) });
  for (const entry of state.files) watch(entry, entry.attachment, entry.abort.signal);
}

const entryOf = ({ lasting, ...attachment }) => ({ key: newId(), name: attachment.name, lasting, ...shown(attachment), abort: new AbortController() });

// Goes with the next message; it was there before, and stays when it is taken away again.
export function useDocument(attachment) {
  if (state.files.some((file) => file.attachment?.id === attachment.id)) return;
  const entry = entryOf({ ...attachment, lasting: true });
  keep([...state.files, entry]);
  watch(entry, attachment, entry.abort.signal);
}

// Each change of the files is kept with the draft.
function keep(files) {
  set({ files });
  const uploaded = files.filter((file) => file.attachment?.id).map(({ attachment, lasting }) => ({ ...attachment, ...(lasting && { lasting }) }));
  keepDraft(state.sessionId, { files: uploaded });
}

export function unlock(entry, password) {
  forget(entry);
  uploadOne(entry, password);
}

export function removeFile(key) {
  const entry = state.files.find((file) => file.key === key);
  keep(state.files.filter((file) => file.key !== key));
  entry.abort.abort();
  forget(entry);
}

// What was uploaded, but never sent, is not kept.
function forget({ attachment, lasting }) {
  if (attachment?.id && !lasting) request(`documents/${attachment.id}`, { method: "DELETE" }).catch(() => {});
}

function change(key, changes) {
  if (isWaiting(key)) keep(state.files.map((file) => (file.key === key ? { ...file, ...changes } : file)));
}

const isWaiting = (key) => state.files.some((file) => file.key === key);
const shown = (attachment) => ({ attachment, status: attachment.status, error: attachment.error });

async function uploadOne({ key, file, name, abort }, password) {
  change(key, { status: "uploading", progress: 0, error: null, tried: Boolean(password) });
  try {
    const named = new File([file], name, { type: file.type });
    const fields = { session_id: state.sessionId, password, temporary: state.choices.temporary && "true" };
    change(key, { abort });
    await watch({ key }, await upload(named, fields, (progress) => change(key, { progress }), abort.signal), abort.signal);
  } catch (error) {
    if (error.name !== "AbortError") change(key, { status: "failed", error, attachment: null });
  }
}

// Shows how far the reading of a file is until it is done.
async function watch({ key }, attachment, signal) {
  try {
    for (let wait = FIRST_LOOK_MS; isWaiting(key) && !signal.aborted; wait = Math.min(wait * 1.4, SLOWEST_LOOK_MS)) {
      change(key, shown(attachment));
      if (!attachment.id || ["ready", "failed"].includes(attachment.status)) return;
      await pause(wait, signal);
      attachment = await getJson(`documents/${attachment.id}`, { signal }).catch((error) => {
        if (error.status === 0) return attachment;
        throw error;
      });
    }
  } catch (error) {
    if (error.status === 404) keep(state.files.filter((file) => file.key !== key));
    else if (error.name !== "AbortError") change(key, { status: "failed", error });
  }
}
