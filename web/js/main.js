// Starts the page.
import { html, render } from "./preact.js";
import { App } from "./app.js";
import { loadParser } from "./markdown_view.js";
import { start } from "./sessions.js";
import { applyPreferences } from "./store.js";

const root = document.getElementById("app");
applyPreferences();
root.replaceChildren();
render(html`<${App} />`, root);
start();
(globalThis.requestIdleCallback ?? setTimeout)(() => loadParser());
