// Hands a file to the person, under a name that every system takes.
import { plainName } from "./safe_name.js";

export function saveAs(blob, name) {
  const href = URL.createObjectURL(blob);
  Object.assign(document.createElement("a"), { href, download: plainName(name).replace(/[\\/:*?"<>|]/g, "_") }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
