// What is chosen for a conversation (role, model, tools ...): kept by this browser with the conversation, sent with
// each of its messages as the field of the same name, and shown as chips above the message box.
import { set, state } from "./store.js";

const MOST_KEPT = 200;
const stored = (where) => JSON.parse(where.getItem("choices") ?? "{}");

export const choicesOf = (sessionId) => stored(sessionStorage)[sessionId] ?? stored(localStorage)[sessionId] ?? {};

// Where what belongs to a conversation is kept: of a temporary one by this tab alone, until it is closed.
export const placeOf = (sessionId) => (choicesOf(sessionId).temporary ? sessionStorage : localStorage);

// Chooses `value` for the open conversation; null takes the choice back.
export function choose(name, value) {
  const { [name]: _, ...others } = state.choices;
  const choices = value === null || value === "" ? others : { ...others, [name]: value };
  set({ choices });
  keepChoices(state.sessionId, choices);
}

export function keepChoices(sessionId, choices) {
  put(sessionStorage, sessionId, choices.temporary ? choices : {});
  put(localStorage, sessionId, choices.temporary ? {} : choices);
}

function put(where, sessionId, choices) {
  const { [sessionId]: _, ...others } = stored(where);
  const entries = Object.entries(others).slice(-MOST_KEPT);
  where.setItem("choices", JSON.stringify({ ...Object.fromEntries(entries), ...(Object.keys(choices).length && { [sessionId]: choices }) }));
}
