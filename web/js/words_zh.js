// The words of the first paint, in Chinese; all others are in more_words_zh.js.
export const WORDS = {
  keys: "我的密钥", people: "用户", permissions: "授权", profile: "个人设置", signInFailed: "登录未成功，请重试。", signInRefused: "你没有使用本服务的权限，请联系管理员。", sendLater: "在本次回答后发送", title: "LLM 聊天后端", newChat: "新对话",
  search: "搜索对话和文件", importJson: "导入对话（JSON）", sessions: "对话", conversation: "消息", noSessions: "还没有对话", noMatch: "没有找到", untitled: "新对话", placeholder: "输入问题，或把文件、图片拖到这里", placeholderTouch: "输入问题",
  send: "发送", stop: "停止", attach: "添加文件", pinned: "置顶", showArchived: "归档", showOthers: "返回全部对话", noArchived: "没有已归档的对话", today: "今天", yesterday: "昨天", lastWeek: "近 7 天", moreSessions: "显示更多",
  sources: "来源", details: "详情", settings: "设置", library: "文档", more: "更多", model: "模型", role: "角色", noRole: "未设角色", ownRole: "自定角色", chosen: "本对话的选择", takeBack: "取消：{name}", menu: "对话列表",
  close: "关闭", systemPrompt: "系统提示词", bundledPart: "内置", tools: "工具", loading: "加载中…", lost: "连接中断，正在重连…", empty: "你好。可以提问，也可以发来文档或图片。",
  bundled: "当前由内置的摘录式模型回答：它引用你的文档并使用工具，不是大语言模型。设置 LLM_API_KEY 和 LLM_BASE_URL 即可接入大模型。", bundledGguf: "当前由本机的小型语言模型回答。设置 LLM_API_KEY 和 LLM_BASE_URL 可接入更大的模型。", find: "搜索", choices: "本对话的设置",
  answersIn: "用{language}回答", someTools: "工具：{n} 个", withoutTools: "不用工具", withoutMemory: "不用记忆", dropHere: "松开即可添加", skip: "跳到输入框", offline: "服务器没有响应。", waiting: "等待你的批准", memories: "记忆", temporary: "临时对话",
  temporaryHint: "不会列出或记住，也不使用记忆；你结束它或停用后不久，它会连同文件一起删除。", temporaryFiles: "移除文件后才能更改。", endTemporary: "结束并删除", answered: "回答完成", answering: "正在回答", earlier: "显示更早的消息（{n}）", toEnd: "回到最新消息",
  "persona:teacher": "教师", "persona:analyst": "分析师", "persona:developer": "开发者", "persona:translator": "译者", "persona:editor": "编辑",
};
