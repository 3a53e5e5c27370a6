// The words of the role panel, which come with it: words.js holds up the first paint.
export const ROLE_WORDS = {
  en: {
    ownPersonas: "Yours", sharedPersonas: "Shared with everybody", writePersona: "Write a role", editPersona: "Change the role", importPersona: "Import a role", exportPersona: "Export as JSON", copyPersona: "Copy",
    personaName: "Name", personaPrompt: "Instructions", variables: "What stands between double braces is filled in", personaTone: "Tone", personaOpening: "Opening, shown where a conversation begins", personaMemory: "What it remembers",
    "memory-shared": "what I said in all conversations", "memory-own": "only what I say to it, for itself", modelOfServer: "That of the server", "tools-all": "all", "tools-none": "none", "tools-some": "only these", toolPatterns: "Names of tools",
    sharePersona: "Everybody on this server may use it", isShared: "shared", confirmPersona: "Delete the role {name}?", deletePersonaWhat: "What it alone remembers goes with it. Its conversations stay.",
    notPersona: "This file is no exported role (JSON).", personaImported: "Imported: {name}.",
  },
  zh: {
    ownPersonas: "我的角色", sharedPersonas: "共享的角色", writePersona: "编写角色", editPersona: "修改角色", importPersona: "导入角色", exportPersona: "导出为 JSON", copyPersona: "复制",
    personaName: "名称", personaPrompt: "指令", variables: "双花括号中的变量会自动填入", personaTone: "语气", personaOpening: "开场白（显示在对话开头）", personaMemory: "它记得什么",
    "memory-shared": "我在所有对话中说过的", "memory-own": "只有我对它说的，且只归它", modelOfServer: "服务器的模型", "tools-all": "全部", "tools-none": "不用", "tools-some": "仅限以下", toolPatterns: "工具名称",
    sharePersona: "本服务器的所有人都可以使用", isShared: "已共享", confirmPersona: "删除角色“{name}”？", deletePersonaWhat: "只有它记得的内容会一并删除，它的对话会保留。",
    notPersona: "该文件不是导出的角色（JSON）。", personaImported: "已导入：{name}。",
  },
};
