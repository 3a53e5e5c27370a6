// Files that the assistant made in a turn: charts are shown, and each can be saved.
import { html, useEffect, useState } from "./preact.js";
import { getBlob } from "./api.js";
import { t } from "./i18n.js";
import { plainName } from "./safe_name.js";

export function MadeFiles({ files }) {
  if (!files?.length) return "";
  return html`<ul class="made" aria-label=${t("madeFiles")}>${files.map((file) => html`<${Made} key=${file.id} file=${file} />`)}</ul>`;
}

// The server hands files out as downloads without a type of their own: an image needs one. In an image no script runs.
function Made({ file }) {
  const [url, setUrl] = useState(null);
  const drawn = file.media_type.startsWith("image/");
  const name = plainName(file.name);
  useEffect(() => {
    let made = null;
    let gone = false;
    getBlob(`documents/${file.id}/content`).then((blob) => {
      if (gone) return;
      made = URL.createObjectURL(new Blob([blob], { type: file.media_type }));
      setUrl(made);
    }).catch(() => {});
    return () => { gone = true; if (made) URL.revokeObjectURL(made); };
  }, [file.id]);
  return html`<li>${drawn && url && html`<img src=${url} alt=${name} />`}
    ${url ? html`<a href=${url} download=${name}>${t("download")}: <bdi>${name}</bdi></a>` : html`<bdi>${name}</bdi>`}</li>`;
}
