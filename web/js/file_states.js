// Files of a turn that are still being read, or could not be; looked at until they are done.
import { getJson } from "./api.js";
import { t } from "./i18n.js";
import { html, useEffect, useState } from "./preact.js";
import { plainName } from "./safe_name.js";

const FIRST_LOOK_MS = 500;
const SLOWEST_LOOK_MS = 5_000;
const isOpen = (file) => Boolean(file.id) && ["queued", "reading"].includes(file.status);

// `live`: nobody else tells how far they are.
export function FileStates({ files, live }) {
  const [newer, setNewer] = useState({});
  const now = files.map((file) => newer[file.id] ?? file);
  const open = live ? now.filter(isOpen).map((file) => file.id).join() : "";
  useEffect(() => {
    if (!open) return undefined;
    let timer = 0;
    let wait = FIRST_LOOK_MS;
    const look = async () => {
      const found = await Promise.all(open.split(",").map((id) => getJson(`documents/${id}`).catch((error) => (error.status === 404 ? { id, status: "ready" } : null))));
      setNewer((old) => ({ ...old, ...Object.fromEntries(found.filter(Boolean).map((file) => [file.id, file])) }));
      wait = Math.min(wait * 1.5, SLOWEST_LOOK_MS);
      timer = setTimeout(look, wait);
    };
    timer = setTimeout(look, wait);
    return () => clearTimeout(timer);
  }, [open]);
  const shown = now.filter((file) => file.status && file.status !== "ready");
  if (!shown.length) return "";
  return html`<ul class="file-states">${shown.map((file) => html`
    <li key=${file.id || file.name} class=${file.status}><bdi>${plainName(file.name)}</bdi> <span>${file.status === "failed"
      ? `${file.error?.message ?? t("failed")} ${file.error?.remedy ?? ""}`
      : file.pages_total > 1 ? t("pages", { done: file.pages_done ?? 0, total: file.pages_total }) : t(file.status)}</span>
      ${file.pages_total > 1 && file.status !== "failed" && html`<progress max=${file.pages_total} value=${file.pages_done ?? 0} aria-label=${plainName(file.name)}></progress>`}</li>`)}</ul>`;
}
