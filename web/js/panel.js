// The panel at the right, one of `PANELS` at a time.
import { t } from "./i18n.js";
import { IconButton } from "./icons.js";
import { loadTalk } from "./lazy.js";
import { PANELS } from "./panels.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { closePanel, notify } from "./store.js";

const loaded = {};

export function Panel({ store, name }) {
  const title = useRef(null);
  const [, draw] = useState(0);
  const chosen = store.messages.find((message) => message.key === store.selected);
  const message = chosen ?? store.messages.findLast((item) => item.role === "assistant");
  useEffect(() => title.current.focus(), [name]);
  const View = loaded[name];
  useEffect(() => {
    if (!View) Promise.all([PANELS[name].load(), loadTalk()]).then(([module]) => { loaded[name] = module.View; draw((n) => n + 1); }, notify);
  }, [name]);
  return html`
    <aside class="panel" aria-label=${t(name)}>
      <div class="bar"><h2 ref=${title} tabindex="-1">${t(name)}</h2>
        <${IconButton} icon="close" label=${t("close")} onClick=${closePanel} /></div>
      ${View ? html`<${View} key=${name} store=${store} message=${message} />` : html`<p class="quiet">${t("loading")}</p>`}
    </aside>`;
}
