// Settings of this browser, and what the server is made of.
import { html } from "../vendor/htm-preact.js";
import { apiKey, setApiKey } from "./api.js";
import { isBundled, splitKind } from "./header.js";
import { languages, partName, t } from "./i18n.js";
import { refreshSessions } from "./session_list.js";
import { refreshHealth } from "./sessions.js";
import { prefer } from "./store.js";

export function SettingsView({ store }) {
  const saveKey = async (event) => { setApiKey(event.target.value); await refreshHealth(); await refreshSessions(); };
  const canSpeak = store.health?.parts?.speech_out?.state === "ready";
  return html`
    <div class="settings">
      <label>${t("systemPrompt")}
        <textarea rows="5" maxlength="20000" dir="auto" placeholder=${t("systemPromptHint")} value=${store.systemPrompt} onChange=${(e) => prefer("systemPrompt", e.target.value)}></textarea></label>
      ${canSpeak && html`<label class="check"><input type="checkbox" checked=${store.speakAnswers} onChange=${(e) => prefer("speakAnswers", e.target.checked)} /> ${t("speakAnswers")}</label>`}
      <label>${t("language")}
        <select value=${store.language} onChange=${(e) => { prefer("language", e.target.value); refreshHealth(); }}>
          ${Object.entries(languages).map(([value, name]) => html`<option key=${value} value=${value}>${name}</option>`)}</select></label>
      <label>${t("theme")}
        <select value=${store.theme} onChange=${(e) => prefer("theme", e.target.value)}>
          ${["auto", "light", "dark"].map((value) => html`<option key=${value} value=${value}>${t(`theme-${value}`)}</option>`)}</select></label>
      <label>${t("apiKey")}<input type="password" autocomplete="off" placeholder=${t("apiKeyHint")} value=${apiKey()} onChange=${saveKey} /></label>
      <section aria-label=${t("parts")}><h3>${t("parts")}</h3>
        <ul class="parts">${Object.entries(store.health?.parts ?? {}).map(([name, part]) => html`<${Part} key=${name} name=${name} part=${part} />`)}</ul></section>
    </div>`;
}

function Part({ name, part }) {
  const [, kind] = splitKind(part.kind);
  return html`<li class=${part.state}><div class="head"><strong>${partName(name)}</strong>
    <span class="state ${part.state}">${t(`state-${part.state}`)}</span>${isBundled(part) && html`<span class="state">${t("bundledPart")}</span>`}</div>
    ${kind !== "none" && html`<div>${kind}</div>`}<small>${part.detail}</small></li>`;
}
