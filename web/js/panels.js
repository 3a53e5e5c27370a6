// What can stand in the panel at the right. A panel's module exports `View({store, message})` and is loaded when it
// is opened. `place` says where people open it: in the "header", in its "menu", or only from elsewhere; `fits(me)` to whom
// it is offered there.
const LOCAL = "local";  // the one user of a server that asks nobody for a key

export const PANELS = {
  sources: { load: () => import("./sources.js") },
  details: { place: "menu", load: () => import("./details.js") },
  library: { place: "header", icon: "sources", load: () => import("./library.js") },
  tools: { place: "menu", load: () => import("./tools.js") },
  memories: { place: "menu", icon: "save", load: () => import("./memories.js") },
  choices: { load: () => import("./choices_view.js") },
  profile: { place: "menu", load: () => import("./profile.js") },
  keys: { place: "menu", load: () => import("./keys.js"), fits: (me) => me && me.user_id !== LOCAL },
  people: { place: "menu", load: () => import("./people.js"), fits: (me) => me?.role === "admin" && me.user_id !== LOCAL },
  permissions: { place: "menu", load: () => import("./permissions.js") },
  role: { load: () => import("./role.js") },
  model: { load: () => import("./model.js") },
  settings: { place: "menu", icon: "settings", load: () => import("./settings_view.js") },
};

export const panelsAt = (place, me) => Object.keys(PANELS).filter((name) => PANELS[name].place === place && (PANELS[name].fits?.(me) ?? true));
