// Everything that is kept of the user: taken out as one file, or deleted, with one click each.
import { getBlob, getJson } from "./api.js";
import { Dialog } from "./dialog.js";
import { t } from "./i18n.js";
import { html, useState } from "./preact.js";
import { saveAs } from "./save_as.js";
import { openSession } from "./sessions.js";
import { refreshSessions } from "./session_list.js";
import { closePanel, notify, set } from "./store.js";

export function YourData() {
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const take = async () => {
    setBusy(true);
    try { saveAs(await getBlob("user/export"), `llmchat-${new Date().toISOString().slice(0, 10)}.zip`); } catch (error) { notify(error); }
    setBusy(false);
  };
  const remove = async () => {
    setAsking(false);
    setBusy(true);
    try {
      const receipt = await getJson("user", { method: "DELETE" });
      closePanel();
      await openSession(null);
      set({ receipt });
      await refreshSessions();
    } catch (error) { notify(error); }
    setBusy(false);
  };
  return html`
    <h3>${t("yourData")}</h3>
    <button type="button" disabled=${busy} onClick=${take}>${t("exportAll")}</button>
    <button type="button" class="danger" disabled=${busy} onClick=${() => setAsking(true)}>${t("deleteAll")}</button>
    ${asking && html`<${Dialog} label=${t("confirmDeleteAll")} onClose=${() => setAsking(false)}>
      <p>${t("deleteAllWhat")}</p>
      <div class="buttons"><button type="button" onClick=${() => setAsking(false)}>${t("cancel")}</button>
        <button type="button" class="danger" onClick=${remove}>${t("deleteAll")}</button></div>
    <//>`}`;
}
