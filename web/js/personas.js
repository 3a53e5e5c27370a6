// The roles that can be chosen, as the server has them, and the one of the open conversation: the server keeps it too.
import { getJson, sendJson, sessionPath } from "./api.js";
import { choose } from "./choices.js";
import { roleName } from "./i18n.js";
import { notify, set, state } from "./store.js";

export async function loadPersonas() {
  try { set({ personas: await getJson("personas") }); } catch (error) { notify(error); }
}

const written = ({ personas }, value) => [...(personas?.own ?? []), ...(personas?.shared ?? [])].find(({ id }) => id === value);

// What a role is called: those that somebody wrote are chosen by their id.
export const personaName = (store, value) => written(store, value)?.name ?? (value && roleName(value));
export const greetingOf = (store) => written(store, store.choices.persona)?.greeting ?? "";

// Chooses a role for the open conversation; null: none.
export function choosePersona(value) {
  choose("persona", value);
  if (!state.messages.length || state.choices.temporary) return;
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
