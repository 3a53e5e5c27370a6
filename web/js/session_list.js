// The list of conversations, and which of them the address names.
import { getJson } from "./api.js";
import { notify, set, state } from "./store.js";

export const sessionInAddress = () => new URLSearchParams(location.search).get("s");

let shown = null;

export const isShown = () => sessionInAddress() === shown;

export function showInAddress(id) {
  shown = id ?? null;
  const { panel, menu } = history.state ?? {};
  if (isShown() && !panel && !menu) return;
  // The menu that a conversation was chosen from is not a place to go back to.
  history[menu ? "replaceState" : "pushState"](null, "", id ? `?s=${encodeURIComponent(id)}` : location.pathname);
}

export async function refreshSessions() {
  const asked = state.query;
  const query = asked ? `&query=${encodeURIComponent(asked)}` : "";
  try {
    const { sessions } = await getJson(`sessions?limit=200${query}`);
    if (state.query === asked) set({ sessions });
  } catch (error) { notify(error); }
}
