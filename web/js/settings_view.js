// Settings of this browser.
import { sendJson } from "./api.js";
import { languages, t } from "./i18n.js";
import { html } from "./preact.js";
import { refreshHealth } from "./sessions.js";
import { notify, prefer, set, state } from "./store.js";
import { YourData } from "./your_data.js";

export function View({ store }) {
  const canSpeak = store.health?.parts?.speech_out?.state === "ready";
  return html`
    <div class="settings">
      ${canSpeak && html`<label class="check"><input type="checkbox" checked=${store.speakAnswers} onChange=${(e) => prefer("speakAnswers", e.target.checked)} /> ${t("speakAnswers")}</label>`}
      <label>${t("language")}
        <select value=${store.language} onChange=${(e) => prefer("language", e.target.value).then(refreshHealth, notify)}>
          ${Object.entries(languages).map(([value, name]) => html`<option key=${value} value=${value}>${name}</option>`)}</select></label>
      <label>${t("theme")}
        <select value=${store.theme} onChange=${(e) => prefer("theme", e.target.value)}>
          ${["auto", "light", "dark"].map((value) => html`<option key=${value} value=${value}>${t(`theme-${value}`)}</option>`)}</select></label>
      <label>${t("whenBusy")}
        <select value=${store.whenBusy} onChange=${(e) => prefer("whenBusy", e.target.value)}>
          ${["queue", "interrupt"].map((value) => html`<option key=${value} value=${value}>${t(`busy-${value}`)}</option>`)}</select></label>
      ${store.me?.signed_in && html`<button type="button" onClick=${signOut}>${t("signOut")}${store.me.name && ` (${store.me.name})`}</button>`}
      <button type="button" onClick=${() => set({ dialog: "key" })}>${t("apiKey")} …</button>
      <button type="button" onClick=${() => set({ dialog: "shortcuts" })}>${t("shortcuts")}</button>
      <${YourData} />
    </div>`;
}

// Drafts, choices and what the page has loaded are the user's: they go with them.
async function signOut() {
  try {
    const { provider } = await sendJson("auth/logout", {});
    const { language, theme } = state;
    localStorage.clear();
    sessionStorage.clear();
    await prefer("language", language);
    await prefer("theme", theme);
    location.replace(provider || location.pathname);
  } catch (error) { notify(error); }
}
