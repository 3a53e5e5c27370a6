// A tool in a list: its name, what a call may do, and why it is not there.
import { t } from "./i18n.js";
import { html } from "./preact.js";

export const Tool = ({ tool }) => html`<li><div class="head"><strong><bdi>${tool.title ?? tool.name}</bdi></strong>
  <span class="state">${t(`permission-${tool.permission}`)}</span></div>${tool.reason && html`<small>${tool.reason}</small>`}</li>`;
