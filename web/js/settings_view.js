// Settings of this browser.
import { html } from "./preact.js";
import { apiKey, setApiKey } from "./api.js";
import { languages, t } from "./i18n.js";
import { refreshSessions } from "./session_list.js";
import { refreshHealth } from "./sessions.js";
import { prefer } from "./store.js";

export function View({ store }) {
  const saveKey = async (event) => { setApiKey(event.target.value); await refreshHealth(); await refreshSessions(); };
  const canSpeak = store.health?.parts?.speech_out?.state === "ready";
  return html`
    <div class="settings">
      ${canSpeak && html`<label class="check"><input type="checkbox" checked=${store.speakAnswers} onChange=${(e) => prefer("speakAnswers", e.target.checked)} /> ${t("speakAnswers")}</label>`}
      <label>${t("language")}
        <select value=${store.language} onChange=${(e) => { prefer("language", e.target.value); refreshHealth(); }}>
          ${Object.entries(languages).map(([value, name]) => html`<option key=${value} value=${value}>${name}</option>`)}</select></label>
      <label>${t("theme")}
        <select value=${store.theme} onChange=${(e) => prefer("theme", e.target.value)}>
          ${["auto", "light", "dark"].map((value) => html`<option key=${value} value=${value}>${t(`theme-${value}`)}</option>`)}</select></label>
      <label>${t("apiKey")}<input type="password" autocomplete="off" placeholder=${t("apiKeyHint")} value=${apiKey()} onChange=${saveKey} /></label>
    </div>`;
}
