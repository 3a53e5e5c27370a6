// `t` for what is loaded when it is opened: with the words that it brings along.
import { addWords, t } from "./i18n.js";
import { PANEL_WORDS } from "./panel_words.js";

addWords(PANEL_WORDS);

export { t };
