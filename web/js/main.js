// Starts the page.
import { html, render } from "./preact.js";
import { App } from "./app.js";
import { loadWords } from "./i18n.js";
import { loadTalk } from "./lazy.js";
import { start } from "./sessions.js";
import { applyPreferences, notify, state } from "./store.js";

async function begin() {
  applyPreferences();
  await loadWords(state.language);
  start();  // first, so that what is drawn first shows that a conversation is loading
  const root = document.getElementById("app");
  root.replaceChildren();
  render(html`<${App} />`, root);
  const { loadParser } = await loadTalk();
  (globalThis.requestIdleCallback ?? setTimeout)(loadParser);
}

begin().catch(notify);
