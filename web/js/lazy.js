// What is not needed for the first paint.
import { ApiError } from "./api.js";
import { loadWords } from "./i18n.js";
import { useEffect, useState } from "./preact.js";
import { notify, set, state } from "./store.js";

let coming = null;

// The rest of the page, with all words of its language; `state.talk` once it is there.
export function loadTalk() {
  coming ??= Promise.all([import("./talk.js"), loadWords(state.language, true)]).then(
    ([talk]) => { set({ talk }); return talk; },
    () => { coming = null; throw new ApiError(0, null); },
  );
  return coming;
}

// Does something with the rest of the page: now where it is there, else as soon as it is.
export const withTalk = (action) => (state.talk ? action(state.talk) : loadTalk().then(action).catch(notify));

// A component with a file of its own: loaded when it is first wanted.
export function useLoaded(wanted, load) {
  const [View, setView] = useState(null);
  useEffect(() => {
    if (wanted && !View) Promise.all([load(), loadTalk()]).then(([loaded]) => setView(() => loaded), notify);
  }, [wanted]);
  return wanted ? View : null;
}
