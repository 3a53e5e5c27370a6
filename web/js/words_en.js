// The words of the first paint, in English; all others are in more_words_en.js.
export const WORDS = {
  keys: "My keys", people: "People", permissions: "Permissions", profile: "Profile", signInFailed: "The sign-in did not succeed. Try again.",
  signInRefused: "You are not let in here. Ask the operator of this server.", sendLater: "Send when this is over", title: "LLM Chat Backend", newChat: "New chat",
  search: "Search conversations and files", importJson: "Import a conversation (JSON)", sessions: "Conversations", conversation: "Messages", noSessions: "No conversations yet",
  noMatch: "Nothing found", untitled: "New conversation", placeholder: "Ask something, or drop files and pictures here", placeholderTouch: "Ask something", send: "Send", stop: "Stop",
  attach: "Attach files", pinned: "Pinned", showArchived: "Archive", showOthers: "Back to all conversations", noArchived: "The archive is empty", today: "Today", yesterday: "Yesterday",
  lastWeek: "Last 7 days", moreSessions: "Show more", sources: "Sources", details: "Details", settings: "Settings", library: "Documents", more: "More", model: "Model", role: "Role",
  noRole: "No role", ownRole: "Own role", chosen: "Chosen for this conversation", takeBack: "Take back: {name}", menu: "Conversations", close: "Close", systemPrompt: "System prompt",
  bundledPart: "bundled", tools: "Tools", loading: "Loading …", lost: "Connection lost; trying again …", empty: "Hello. Ask a question, or bring a document or a picture.",
  bundled: "Answers come from the bundled extractive model: it quotes your documents and uses tools, but is no large language model. Set LLM_API_KEY and LLM_BASE_URL for one.",
  bundledGguf: "Answers come from a small language model on this machine. Set LLM_API_KEY and LLM_BASE_URL for a larger one.", find: "Search", choices: "For this conversation",
  answersIn: "Answers in {language}", someTools: "Tools: {n}", withoutTools: "Without tools", withoutMemory: "Without memory", dropHere: "Drop to attach", skip: "Skip to the message box", offline: "The server does not answer.",
  waiting: "Waiting for your approval", memories: "Memory", temporary: "Temporary conversation",
  temporaryHint: "It is not listed or remembered and uses no memory; it is deleted with its files when you end it, or soon after its last use.", temporaryFiles: "Take the files out to change this.",
  endTemporary: "End and delete", answered: "Answer ready", answering: "Answering", earlier: "Show earlier messages ({n})", toEnd: "To the newest message",
  "persona:teacher": "teacher", "persona:analyst": "analyst", "persona:developer": "developer", "persona:translator": "translator", "persona:editor": "editor",
};
