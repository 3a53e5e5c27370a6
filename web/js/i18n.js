// Every word of the interface, in both languages. `t(key, values)` gives the one in use.
const WORDS = {
  en: {
    title: "LLM Chat Backend", newChat: "New chat", search: "Search conversations", rename: "Rename", remove: "Delete",
    exportMarkdown: "Export as Markdown", exportJson: "Export as JSON", importJson: "Import", sessions: "Conversations",
    noSessions: "No conversations yet", untitled: "New conversation", you: "You", assistant: "Assistant",
    placeholder: "Ask something, or drop files and pictures here", send: "Send", stop: "Stop", attach: "Attach files",
    dictate: "Dictate", stopDictation: "Stop dictation", speak: "Read aloud", stopSpeaking: "Stop reading", copy: "Copy",
    copied: "Copied", regenerate: "Answer again", edit: "Edit", branch: "Branch from here", cancel: "Cancel", save: "Save",
    sources: "Sources", activity: "Activity", graph: "Graph", details: "Details", settings: "Settings", menu: "Conversations",
    close: "Close", systemPrompt: "System prompt", systemPromptHint: "Role or instructions for the assistant",
    language: "Language", theme: "Theme", themeAuto: "As the system", themeLight: "Light", themeDark: "Dark",
    parts: "What is in use", apiKey: "API key", apiKeyHint: "Only needed when the server asks for one",
    noSources: "The sources of an answer appear here.", noActivity: "What the assistant does appears here.",
    verified: "quote checked", page: "p. {page}", pages: "{done} of {total} pages", reading: "Reading", ready: "Ready",
    failed: "Failed", queued: "Waiting", uploading: "Uploading", thinking: "Working", reasoning: "Reasoning",
    stopped: "Stopped: this answer is incomplete.", lost: "Connection lost; trying again", back: "Connected again",
    gap: "Some events were missed; the answer below is complete.", removed: "Removed", receipt: "What was deleted",
    before: "before", after: "after", confirmDelete: "Delete this conversation with everything in it?", yes: "Delete",
    tooLarge: "{name} is too large ({limit} MB at most)", empty: "Hello. Ask a question, or bring a document or a picture.",
    bundled: "Answers come from the bundled reader: it quotes your documents and uses tools, but is no large language model. Set LLM_API_KEY for one.",
    tokens: "{input} tokens in, {output} out", seconds: "{n} s", removeFile: "Remove {name}", openSource: "Open source {n}: {name}",
    picture: "Picture", textInPicture: "Text in the picture", description: "Description", summary: "Summary", dropHere: "Drop to attach",
    skip: "Skip to the message box", offline: "The server does not answer.", retry: "Try again", running: "running", ok: "done",
    error: "failed", refused: "refused", cached: "from cache", password: "Password", documents: "Documents", noDocument: "This document is gone.",
    scanned: "read by OCR", previous: "Previous page", next: "Next page", newMessage: "Answer ready", answering: "Answering",
  },
  zh: {
    title: "LLM 聊天后端", newChat: "新对话", search: "搜索对话", rename: "重命名", remove: "删除",
    exportMarkdown: "导出 Markdown", exportJson: "导出 JSON", importJson: "导入", sessions: "对话",
    noSessions: "还没有对话", untitled: "新对话", you: "你", assistant: "助手",
    placeholder: "输入问题，或把文件、图片拖到这里", send: "发送", stop: "停止", attach: "添加文件",
    dictate: "语音输入", stopDictation: "结束语音输入", speak: "朗读", stopSpeaking: "停止朗读", copy: "复制",
    copied: "已复制", regenerate: "重新回答", edit: "编辑", branch: "从这里另开对话", cancel: "取消", save: "保存",
    sources: "来源", activity: "过程", graph: "流程图", details: "详情", settings: "设置", menu: "对话列表",
    close: "关闭", systemPrompt: "系统提示词", systemPromptHint: "助手的角色或要求",
    language: "语言", theme: "主题", themeAuto: "跟随系统", themeLight: "浅色", themeDark: "深色",
    parts: "正在使用的组件", apiKey: "API 密钥", apiKeyHint: "仅当服务器要求时填写",
    noSources: "回答的来源会显示在这里。", noActivity: "助手的处理过程会显示在这里。",
    verified: "引文已核对", page: "第 {page} 页", pages: "{done}/{total} 页", reading: "读取中", ready: "就绪",
    failed: "失败", queued: "等待中", uploading: "上传中", thinking: "处理中", reasoning: "思考过程",
    stopped: "已停止：回答不完整。", lost: "连接中断，正在重连", back: "已重新连接",
    gap: "有部分过程未收到；下面的回答是完整的。", removed: "已删除", receipt: "删除了什么",
    before: "之前", after: "之后", confirmDelete: "删除这个对话及其全部内容？", yes: "删除",
    tooLarge: "{name} 过大（最大 {limit} MB）", empty: "你好。可以提问，也可以发来文档或图片。",
    bundled: "当前由内置阅读器回答：它引用你的文档并使用工具，不是大语言模型。设置 LLM_API_KEY 即可接入大模型。",
    tokens: "输入 {input}、输出 {output} 个 token", seconds: "{n} 秒", removeFile: "移除 {name}", openSource: "打开来源 {n}：{name}",
    picture: "图片", textInPicture: "图片中的文字", description: "描述", summary: "摘要", dropHere: "松开即可添加",
    skip: "跳到输入框", offline: "服务器没有响应。", retry: "重试", running: "进行中", ok: "完成",
    error: "失败", refused: "未允许", cached: "来自缓存", password: "密码", documents: "文档", noDocument: "该文档已不存在。",
    scanned: "由 OCR 识别", previous: "上一页", next: "下一页", newMessage: "回答完成", answering: "正在回答",
  },
};

const NODES = {
  en: { detect_modality: "Look at the message", ingest_document: "Read document", read_image: "Read picture", recall: "Recall",
    select_tools: "Choose tools", generate_answer: "Answer", run_tools: "Run tools", verify_citations: "Check citations", remember: "Remember" },
  zh: { detect_modality: "识别内容", ingest_document: "读取文档", read_image: "识别图片", recall: "回忆",
    select_tools: "选择工具", generate_answer: "生成回答", run_tools: "调用工具", verify_citations: "核对引用", remember: "记忆" },
};

let current = "en";

export const languages = { en: "English", zh: "中文" };

export function setLanguage(language) {
  current = language in WORDS ? language : "en";
  document.documentElement.lang = current === "zh" ? "zh-CN" : "en";
}

export const language = () => current;

export function t(key, values = {}) {
  const text = WORDS[current][key] ?? WORDS.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

export const nodeName = (node) => NODES[current][node] ?? node;
