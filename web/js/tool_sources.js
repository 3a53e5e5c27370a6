// One source of tools with what waits for approval, and the form that adds one.
import { request, sendJson } from "./api.js";
import { t } from "./i18n.js";
import { html, useState } from "./preact.js";
import { notify } from "./store.js";
import { Tool } from "./tool_row.js";

const sourcePath = (name, rest = "") => `admin/tools/sources/${encodeURIComponent(name)}${rest}`;
const WAITS = ["new", "changed"];
const STATES = { starting: "loading", ready: "ready", failed: "failed" };

export function Source({ source, tools, admin, refresh }) {
  const [asked, ask] = useState(false);
  const { name, state, reason, detail, origin } = source;
  const act = (method, rest, body) => async () => {
    try { await (body ? sendJson(sourcePath(name, rest), body, method) : request(sourcePath(name, rest), { method })); } catch (error) { notify(error); }
    ask(false);
    refresh();
  };
  const waiting = admin ? source.tools.filter(({ status }) => WAITS.includes(status)) : [];
  return html`
    <section aria-label=${name}>
      <h3><bdi>${name}</bdi> <span class="state ${STATES[state]}">${t(`state-${STATES[state]}`)}</span></h3>
      ${reason && html`<p class="quiet">${reason}</p>`}
      ${admin && detail && html`<pre dir="ltr">${detail}</pre>`}
      ${waiting.map((tool) => html`<${Waiting} key=${tool.version} tool=${tool} approve=${act("POST", "/approvals", { tools: { [tool.own_name]: tool.version } })} />`)}
      <ul class="parts">${tools.filter((tool) => !waiting.some((it) => it.name === tool.name)).map((tool) => html`<${Tool} key=${tool.name} tool=${tool} />`)}</ul>
      ${admin && html`<div class="buttons">
        ${asked ? html`<button type="button" onClick=${() => ask(false)}>${t("cancel")}</button><button type="button" class="danger" onClick=${act("DELETE", "")}>${t("removeSource", { name })}</button>`
          : html`<button type="button" onClick=${act("POST", "/restart")}>${t("reopenSource")}</button>
            ${origin === "admin" && html`<button type="button" onClick=${() => ask(true)}>${t("remove")}</button>`}`}</div>`}
    </section>`;
}

// What would be approved, exactly: the whole definition of a new tool, the changed lines of a known one.
const Waiting = ({ tool, approve }) => html`<div class="waiting">
  <strong><bdi>${tool.own_name}</bdi></strong> <small>${tool.reason}</small>
  <pre dir="ltr" tabindex="0">${tool.difference}</pre>
  <div class="buttons"><button type="button" onClick=${approve}>${t("approveTool", { name: tool.own_name })}</button></div></div>`;

export function AddSource({ refresh }) {
  const [kind, setKind] = useState("url");
  const add = async (event) => {
    event.preventDefault();
    const form = event.target;
    const { name, place, values, trusted } = Object.fromEntries(new FormData(form));
    const pairs = Object.fromEntries(values.split("\n").filter((line) => line.includes("=")).map((line) => [line.slice(0, line.indexOf("=")).trim(), line.slice(line.indexOf("=") + 1).trim()]));
    const more = Object.keys(pairs).length ? { [kind === "command" ? "env" : "headers"]: pairs } : {};
    try {
      await sendJson(sourcePath(name.trim()), { [kind]: place, ...more, ...(trusted ? { trusted: true } : {}) }, "PUT");
      form.reset();
      setKind("url");
    } catch (error) { notify(error); }
    refresh();
  };
  return html`
    <details><summary>${t("addSource")}</summary>
      <form class="settings" onSubmit=${add}>
        <p class="quiet">${t("addSourceHint")}</p>
        <label>${t("sourceName")}<input name="name" required maxlength="31" pattern="[a-zA-Z0-9]+([\\-_][a-zA-Z0-9]+)*" autocomplete="off" /></label>
        <label>${t("sourceKind")}<select value=${kind} onChange=${(event) => setKind(event.target.value)}>
          ${["url", "command", "openapi"].map((value) => html`<option key=${value} value=${value}>${t(`source-${value}`)}</option>`)}</select></label>
        <label>${t(kind === "command" ? "sourceCommand" : "sourceUrl")}<input name="place" required maxlength="4096" dir="ltr" autocomplete="off" /></label>
        <label>${t(kind === "command" ? "sourceEnv" : "sourceHeaders")}<textarea name="values" rows="2" dir="ltr" placeholder="NAME=\${NAME}"></textarea></label>
        <label class="check"><input type="checkbox" name="trusted" /> ${t("sourceTrusted")}</label>
        <div class="buttons"><button type="submit">${t("add")}</button></div>
      </form></details>`;
}
