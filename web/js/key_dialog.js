// Asks for the key that the server wants, tries it, and closes when it is the right one; or leads to the sign-in where there is one.
import { apiKey, getJson, setApiKey } from "./api.js";
import { Dialog } from "./dialog.js";
import { t } from "./i18n.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { refreshSessions } from "./session_list.js";
import { openSession, refreshHealth, refreshMe } from "./sessions.js";
import { notify, set, state } from "./store.js";

export function KeyDialog({ onClose }) {
  const box = useRef(null);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const [provider, setProvider] = useState(false);
  useEffect(() => { getJson("auth").then((ways) => setProvider(ways.provider), () => {}); }, []);
  const submit = async (event) => {
    event.preventDefault();
    const before = apiKey();
    setBusy(true);
    setApiKey(box.current.value);
    try {
      await getJson("sessions?limit=1");
      onClose();
      set({ notice: null });
      notify(t("keyAccepted"));
      await Promise.all([refreshHealth(), refreshMe(), refreshSessions(), state.messages.length ? null : openSession(new URLSearchParams(location.search).get("s"))]);
    } catch (error) {
      setApiKey(before);
      setProblem(error.code === "unauthorized" ? t("keyRefused") : error.message);
      setBusy(false);
      box.current?.select();
    }
  };
  return html`
    <${Dialog} label=${t("apiKey")} onClose=${onClose}>
      ${provider && html`<div class="buttons"><button type="button" class="primary" onClick=${goToProvider}>${t("signIn")}</button></div>`}
      <form onSubmit=${submit}>
        <p class="quiet">${t("keyWanted")}</p>
        <input ref=${box} type="password" name="key" autocomplete="off" autofocus required defaultValue=${apiKey()} aria-label=${t("apiKey")} aria-describedby="key-problem" />
        <p id="key-problem" class="mark error" role="alert" hidden=${!problem}>${problem}</p>
        <div class="buttons"><button type="button" onClick=${onClose}>${t("cancel")}</button><button type="submit" class="primary" disabled=${busy}>${t("keyUse")}</button></div>
      </form>
    <//>`;
}

// A key that does not work would be sent beside the session.
function goToProvider() {
  setApiKey("");
  location.assign(`api/v1/auth/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}
