// What is chosen for a conversation (role, model, tools ...): kept by this browser with the conversation, sent with
// each of its messages as the field of the same name, and shown as chips above the message box.
import { set, state } from "./store.js";

const MOST_KEPT = 200;
const stored = () => JSON.parse(localStorage.getItem("choices") ?? "{}");

export const choicesOf = (sessionId) => stored()[sessionId] ?? {};

// Chooses `value` for the open conversation; null takes the choice back.
export function choose(name, value) {
  const { [name]: _, ...others } = state.choices;
  const choices = value === null || value === "" ? others : { ...others, [name]: value };
  set({ choices });
  keepChoices(state.sessionId, choices);
}

// Of a temporary conversation nothing but that it is one.
export function keepChoices(sessionId, chosen) {
  const choices = chosen.temporary ? { temporary: true } : chosen;
  const { [sessionId]: _, ...others } = stored();
  const entries = Object.entries(others).slice(-MOST_KEPT);
  localStorage.setItem("choices", JSON.stringify({ ...Object.fromEntries(entries), ...(Object.keys(choices).length && { [sessionId]: choices }) }));
}
