// Copies text, and shows for a moment that it was done.
import { t } from "./i18n.js";
import { notify } from "./store.js";

export async function copyText(text, show) {
  try {
    await navigator.clipboard.writeText(text);
    show(true);
    setTimeout(() => show(false), 1500);
  } catch { notify(new Error(t("noClipboard"))); }
}
