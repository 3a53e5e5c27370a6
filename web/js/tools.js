// Which tools the assistant has, from where, and in which state; administrators add, approve and remove sources.
import { getJson } from "./api.js";
import { t } from "./i18n.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { notify } from "./store.js";
import { Tool } from "./tool_row.js";
import { AddSource, Source } from "./tool_sources.js";

const LOOK_MS = 1500;

export function View({ store }) {
  const { tools, sources, admin, refresh } = useTools(store.language);
  const own = tools.filter((tool) => tool.source === "builtin");
  const others = tools.filter((tool) => tool.source !== "builtin");
  return html`
    <div class="tools">
      ${sources.map((source) => html`<${Source} key=${source.name} source=${source} admin=${admin} refresh=${refresh}
        tools=${others.filter((tool) => tool.address.split(":")[1] === source.name)} />`)}
      ${admin && html`<${AddSource} refresh=${refresh} />`}
      <h3>${t("builtinTools")}</h3><ul class="parts">${own.map((tool) => html`<${Tool} key=${tool.name} tool=${tool} />`)}</ul>
    </div>`;
}

// Everybody sees tools and states; administrators the sources in full. Looks again while one of them is starting, and once more.
function useTools(language) {
  const [found, setFound] = useState({ tools: [], sources: [], admin: false });
  const [round, setRound] = useState(0);
  const unsettled = useRef(false);
  useEffect(() => {
    let timer = 0;
    let gone = false;
    const load = async () => {
      const { tools, sources: states, admin } = await getJson("tools");
      const sources = admin ? (await getJson("admin/tools/sources")).sources : states;
      if (gone) return;
      setFound({ tools, sources, admin });
      const starting = sources.some(({ state }) => state === "starting");
      if (starting || unsettled.current) timer = setTimeout(() => setRound((n) => n + 1), LOOK_MS);
      unsettled.current = starting;
    };
    load().catch(notify);
    return () => { gone = true; clearTimeout(timer); };
  }, [round, language]);
  return { ...found, refresh: () => setRound((n) => n + 1) };
}
