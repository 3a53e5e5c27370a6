// Drawings of the buttons, 24 x 24, in the colour of the text.
import { html } from "./preact.js";

const PATHS = {
  menu: "M4 7h16M4 12h16M4 17h16",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6L6 18",
  more: "M11.3 5.5a.7.7 0 1 0 1.4 0a.7.7 0 1 0-1.4 0M11.3 12a.7.7 0 1 0 1.4 0a.7.7 0 1 0-1.4 0M11.3 18.5a.7.7 0 1 0 1.4 0a.7.7 0 1 0-1.4 0",
  sources: "M5 5.5A2 2 0 0 1 7 4h11v16H7a2 2 0 0 1-2-1.5zM5 18a2 2 0 0 1 2-2h11M9 8h5",
  activity: "M4 12h3l3-7 4 14 3-7h3",
  graph: "M12 7.5v4M12 11.5l-5 4M12 11.5l5 4M9.5 3.5h5v4h-5zM4.5 16h5v4h-5zM14.5 16h5v4h-5z",
  person: "M12 4.5a3.5 3.5 0 1 1 0 7a3.5 3.5 0 0 1 0-7zM5 20a7 7 0 0 1 14 0",
  bin: "M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13M10.5 11v5.5M13.5 11v5.5",
  settings: "M4 8h9M17 8h3M4 16h3M11 16h9M13 8a2 2 0 1 0 4 0a2 2 0 1 0-4 0M7 16a2 2 0 1 0 4 0a2 2 0 1 0-4 0",
  attach: "M19 11.5l-7.5 7.5a4.5 4.5 0 0 1-6.4-6.4l8-8a3 3 0 0 1 4.3 4.3l-7.8 7.8a1.5 1.5 0 0 1-2.2-2.1l7-7",
  microphone: "M12 4a2.5 2.5 0 0 1 2.5 2.5v5a2.5 2.5 0 0 1-5 0v-5A2.5 2.5 0 0 1 12 4zM6 11a6 6 0 0 0 12 0M12 17v3.5",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  import: "M12 15V4M8 8l4-4 4 4M5 14v5h14v-5",
  down: "M12 5v14M6 13l6 6 6-6",
  previous: "M15 5l-7 7 7 7",
  next: "M9 5l7 7-7 7",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9v.01",
  document: "M6 3.5h8l4 4v13H6zM14 3.5v4h4",
  audio: "M5 10v4M9 6v12M13 9v6M17 5v14M21 10v4",
  thumb_up: "M7 10.5v9H4v-9zM7 10.5l4.5-7a2 2 0 0 1 2 2.3L13 9.5h5a2 2 0 0 1 2 2.4l-1.2 6a2 2 0 0 1-2 1.6H7",
  thumb_down: "M17 13.5v-9h3v9zM17 13.5l-4.5 7a2 2 0 0 1-2-2.3l.5-3.7H6a2 2 0 0 1-2-2.4l1.2-6a2 2 0 0 1 2-1.6H17",
  temporary: "M12 8v4.5l3 2M20 12a8 8 0 1 1-2.3-5.6M20 4v3.5h-3.5",
  save: "M5 12l5 5L20 7",
};

export const Icon = ({ name }) => html`
  <svg class="drawing" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${PATHS[name]} /></svg>`;

// A button that is a drawing; its label is read out and shown on hover.
export const IconButton = ({ icon, label, class: more = "", ...rest }) => html`
  <button type="button" class="icon ${more}" title=${label} aria-label=${label} ...${rest}><${Icon} name=${icon} /></button>`;

export const kindIcon = (file) => ({ image: "picture", audio: "audio" }[file.kind] ?? "document");
