// The caller's own API keys.
import { getJson } from "./api.js";
import { KeyList } from "./key_list.js";
import { t } from "./i18n.js";
import { html, useEffect, useState } from "./preact.js";
import { notify } from "./store.js";

export function View() {
  const [keys, setKeys] = useState(null);
  const refresh = () => getJson("keys").then(setKeys, notify);
  useEffect(() => { refresh(); }, []);
  if (!keys) return html`<p class="quiet">${t("loading")}</p>`;
  return html`<p class="quiet">${t("keysHint")}</p><${KeyList} path="keys" keys=${keys} refresh=${refresh} />`;
}
