// The list of conversations, and which of them the address names.
import { getJson } from "./api.js";
import { notify, set, state } from "./store.js";

export const sessionInAddress = () => new URLSearchParams(location.search).get("s");

export function showInAddress(id) {
  if (!id) history.replaceState(null, "", location.pathname);
  else if (sessionInAddress() !== id) history.pushState(null, "", `?s=${encodeURIComponent(id)}`);
}

export async function refreshSessions() {
  const asked = state.query;
  const query = asked ? `&query=${encodeURIComponent(asked)}` : "";
  try {
    const { sessions } = await getJson(`sessions?limit=200${query}`);
    if (state.query === asked) set({ sessions });
  } catch (error) { notify(error); }
}
