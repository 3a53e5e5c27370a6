// Starts the page.
import { html, render } from "../vendor/htm-preact.js";
import { App } from "./app.js";
import { start } from "./state.js";

const root = document.getElementById("app");
root.textContent = "";
render(html`<${App} />`, root);
start();
