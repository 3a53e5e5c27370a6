// What can stand in the panel at the right. A panel's module exports `View({store, message})` and is loaded when it
// is opened. `place` says where people open it: in the "header", in its "menu", or only from elsewhere.
export const PANELS = {
  sources: { load: () => import("./sources.js") },
  details: { place: "menu", load: () => import("./details.js") },
  library: { place: "header", icon: "sources", load: () => import("./library.js") },
  tools: { place: "menu", load: () => import("./tools.js") },
  memories: { place: "menu", icon: "save", load: () => import("./memories.js") },
  choices: { load: () => import("./choices_view.js") },
  role: { load: () => import("./role.js") },
  model: { load: () => import("./model.js") },
  settings: { place: "menu", icon: "settings", load: () => import("./settings_view.js") },
};

export const panelsAt = (place) => Object.keys(PANELS).filter((name) => PANELS[name].place === place);
