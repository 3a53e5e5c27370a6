// The panel at the right: sources of an answer, what the assistant did, the graph, settings.
import { html, useEffect, useRef } from "../vendor/htm-preact.js";
import { Activity } from "./activity.js";
import { Graph } from "./graph.js";
import { t } from "./i18n.js";
import { IconButton } from "./icons.js";
import { SettingsView } from "./settings_view.js";
import { Sources } from "./sources.js";
import { closePanel } from "./store.js";

const VIEWS = { sources: Sources, activity: Activity, graph: Graph, settings: SettingsView };

export function Panel({ store }) {
  const title = useRef(null);
  const chosen = store.messages.find((message) => message.key === store.selected);
  const message = chosen ?? store.messages.findLast((item) => item.role === "assistant");
  useEffect(() => title.current.focus(), [store.panel]);
  return html`
    <aside class="panel" aria-label=${t(store.panel)}>
      <div class="bar"><h2 ref=${title} tabindex="-1">${t(store.panel)}</h2>
        <${IconButton} icon="close" label=${t("close")} onClick=${closePanel} /></div>
      <${VIEWS[store.panel]} key=${store.panel} store=${store} message=${message} />
    </aside>`;
}
