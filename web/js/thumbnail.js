// A small picture of a file: of one that was just chosen itself, else as the server draws it.
import { getBlob } from "./api.js";
import { html, useEffect, useState } from "./preact.js";

const LARGEST_BYTES = 8_000_000;

export const hasThumbnail = (file) => file.kind === "image";

export function Thumbnail({ id, file }) {
  const [url, setUrl] = useState(null);
  useEffect(() => {
    let made = null;
    let gone = false;
    const show = (blob) => { if (!gone) { made = URL.createObjectURL(blob); setUrl(made); } };
    if (file?.type.startsWith("image/") && file.size < LARGEST_BYTES) show(file);
    else if (id) getBlob(`documents/${id}/thumbnail`).then(show, () => {});
    return () => { gone = true; if (made) URL.revokeObjectURL(made); };
  }, [id, file]);
  return url && html`<img class="thumbnail" src=${url} alt="" onError=${() => setUrl(null)} />`;
}
