// What votes on answers have changed: what, why, and taken back with one click.
import { getJson, sendJson } from "./api.js";
import { t } from "./i18n.js";
import { html, useEffect, useState } from "./preact.js";
import { notify } from "./store.js";

// Of what was not good enough, the last trial of each kind is enough.
const isOfInterest = (change, at, all) => change.state !== "rejected" || all.findIndex((one) => one.slot === change.slot) === at;

export function Changes({ language }) {
  const [changes, setChanges] = useState([]);
  const [round, setRound] = useState(0);
  useEffect(() => {
    let gone = false;
    getJson("feedback/changes").then((list) => { if (!gone) setChanges(list.changes.filter(isOfInterest)); }, notify);
    return () => { gone = true; };
  }, [round, language]);
  const takeBack = (change) => sendJson(`feedback/changes/${change.id}/rollback`, {}).catch(notify).then(() => setRound((n) => n + 1));
  if (!changes.length) return "";
  return html`<section aria-labelledby="changes-title">
    <h3 id="changes-title">${t("changes")}</h3>
    <p class="quiet">${t("changesHint")}</p>
    <ul class="sources">${changes.map((change) => html`<li key=${change.id} data-change=${change.id}>
      <p>${change.what} <span class="state ${change.state === "applied" ? "ready" : ""}">${t(`change-${change.scope === "all" ? "all" : change.state}`)}</span></p>
      <p class="quiet">${new Date(change.changed).toLocaleDateString(document.documentElement.lang)} · ${change.why}</p>
      ${change.state === "applied" && change.scope === "own" && html`<div class="buttons"><button type="button" class="quiet" aria-label=${`${t("takeBackChange")}: ${change.what}`} onClick=${() => takeBack(change)}>${t("takeBackChange")}</button></div>`}
    </li>`)}</ul></section>`;
}
