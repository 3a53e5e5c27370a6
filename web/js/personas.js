// The roles that can be chosen, as the server has them, and the one of the open conversation: the server keeps it too.
import { ApiError, getBlob, getJson, sendJson, sessionPath } from "./api.js";
import { choose } from "./choices.js";
import { t } from "./i18n.js";
import { saveAs } from "./save_as.js";
import { notify, set, state } from "./store.js";

export async function loadPersonas() {
  try { set({ personas: await getJson("personas") }); } catch (error) { notify(error); }
}

const written = ({ personas }, value) => [...(personas?.own ?? []), ...(personas?.shared ?? [])].find(({ id }) => id === value);

// What a role is called: those that somebody wrote are chosen by their id.
export const personaName = (store, value) => written(store, value)?.name ?? value;
export const greetingOf = (store) => written(store, store.choices.persona)?.greeting ?? "";

// Chooses a role for the open conversation; null: none.
export function choosePersona(value) {
  choose("persona", value);
  if (!state.messages.length) return;
  sendJson(sessionPath(state.sessionId), { persona: value ?? "" }, "PATCH").catch((error) => { if (error.status !== 404) notify(error); });
}

// Takes over which role the server holds the open conversation with.
export function takePersona(persona) {
  if ((state.choices.persona ?? "") !== persona) choose("persona", persona);
  needPersonas();
}

export function needPersonas() {
  if (state.choices.persona && !state.personas) loadPersonas();
}

export const personaPath = (id, rest = "") => `personas/${encodeURIComponent(id)}${rest}`;

// Carries out a change and shows the list again; tells whether it could be done.
export async function changePersonas(action) {
  let result = null;
  try { result = await action(); } catch (error) { notify(error); }
  await loadPersonas();
  return result;
}

export const removePersona = ({ id }) => changePersonas(async () => {
  const receipt = await getJson(personaPath(id), { method: "DELETE" });
  if (state.choices.persona === id) choosePersona(null);
  set({ receipt });
});

export async function exportPersona({ id, name }) {
  try { saveAs(await getBlob(personaPath(id, "/export")), `${name}.persona.json`); } catch (error) { notify(error); }
}

export const importPersona = (file) => changePersonas(async () => {
  let value = null;
  try { value = JSON.parse(await file.text()); } catch { /* told below */ }
  if (!value?.persona) throw new ApiError(422, { message: t("notPersona") });
  const { name, warnings } = await sendJson("personas/import", value);
  notify([t("personaImported", { name }), ...warnings].join(" "));
});

// The copy is the user's own, whoever wrote the first one; the server gives it a free name.
export const copyPersona = ({ name, prompt, tone = "", tools = null, model = "", memory = "shared", opening = "" }) =>
  changePersonas(() => sendJson("personas/import", { format: "llmchat-persona", version: 1, persona: { name, prompt, tone, tools, model, memory, opening } }));
