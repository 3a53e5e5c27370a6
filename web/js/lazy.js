// A component whose file is not needed for the first paint: loaded when it is first wanted.
import { useEffect, useState } from "./preact.js";
import { notify } from "./store.js";

export function useLoaded(wanted, load) {
  const [View, setView] = useState(null);
  useEffect(() => { if (wanted && !View) load().then((loaded) => setView(() => loaded), notify); }, [wanted]);
  return wanted ? View : null;
}
