"""What the bundled model says in its own words, in both languages. Everything else that it says is a quotation."""

from __future__ import annotations

from typing import Final, NamedTuple

from domain.words import Words

DETAIL: Final = Words(
    "Extractive model, bundled, because no language model is configured: it quotes documents and tool results, with "
    "SmolLM2-135M for English small talk; change it with LLM_BASE_URL, LLM_API_KEY and LLM_MODEL, or EMBEDDED_GGUF.",
    "内置的摘录式模型，因为未配置语言模型：它引用文档和工具结果的原文，英文闲聊由 SmolLM2-135M 回答；"
    "可通过 LLM_BASE_URL、LLM_API_KEY 和 LLM_MODEL，或 EMBEDDED_GGUF 更改。",
)
NOT_SAID: Final = Words("The documents do not say.", "文档中没有提到。")
CANNOT_COMPUTE: Final = Words(
    "I compute totals, averages, counts, and which group has most or least, where the question names columns as the "
    "table does: {columns}. For a full language model set LLM_API_KEY.",
    "我可以计算合计、平均、计数，以及哪一组最多或最少，但问题须使用表格的列名：{columns}。"
    "如需完整的语言模型，请设置 LLM_API_KEY。",
)
CANNOT_COMPARE: Final = Words(
    "Name the points to compare, as in “compare the notice period and the rent in these contracts”. To find the points "
    "takes a language model: set LLM_API_KEY.",
    "请写明要比较的要点，例如“对比这些合同的通知期和租金”。要自行归纳要点需要语言模型：请设置 LLM_API_KEY。",
)
WEB_NOT_SAID: Final = Words("What was found on the web does not say.", "网上找到的内容没有提到。")
NO_DOCUMENTS: Final = Words(
    "I quote documents, pictures and tool results, and there are none here that answer this; I do not guess. Upload a "
    "file that holds the answer, or set LLM_API_KEY for a full language model.",
    "我只根据文档、图片和工具结果作答，不会猜测；这里没有能回答该问题的资料。请上传包含答案的文件，"
    "或设置 LLM_API_KEY 以使用完整的语言模型。",
)
NOT_READ: Final = Words("I could not read what you sent.", "未能读取您发送的文件。")
NO_FILES: Final = Words("There is no document or picture here yet. Upload one first.", "这里还没有文件，请先上传。")
YOU_SAID: Final = Words("You told me: “{text}”", "您之前说过：“{text}”")
SUMMARY: Final = Words("**{name}**: {text}", "**{name}**：{text}")
NO_TEXT: Final = Words("**{name}**: no text was found.", "**{name}**：没有文字。")
PICTURE_TEXT: Final = Words("Text in **{name}**:", "**{name}** 中的文字：")
UNSEEN: Final = Words(
    "{facts} No vision model is set up (VISION_BASE_URL, VISION_API_KEY, VISION_MODEL): only text and facts are known.",
    "{facts}未配置视觉模型（VISION_BASE_URL、VISION_API_KEY、VISION_MODEL）：仅凭文字和基本信息说明。",
)
NOTED: Final = Words("Noted.", "好的，已记下。")
PLACE: Final = Words("**{name}**, page {page}", "**{name}**，第 {page} 页")
TOOL_FAILED: Final = Words("The tool {tool} failed: {text}", "工具 {tool} 执行失败：{text}")
WEB_FAILED: Final = Words("The web could not be searched.", "未能搜索网络。")


class Reply(NamedTuple):
    """Requests, and the fixed text that answers them."""

    examples: tuple[str, ...]
    text: Words


REPLIES: Final = {
    "greeting": Reply(("Hello!", "Hi there, good morning", "你好", "早上好", "嗨，在吗？"),
        Words("Hello! Send me a document or a picture and ask about it, or ask me something a tool can find.",
            "您好！可以发给我文档或图片并就其内容提问，也可以问我工具能查到的事情。")),
    "thanks": Reply(("Thank you very much", "Thanks, that helped", "ok, got it", "谢谢你", "太感谢了", "好的，明白了"),
        Words("You are welcome!", "不客气！还有什么需要，随时告诉我。")),
    "farewell": Reply(("Goodbye!", "See you later, bye", "再见", "拜拜，下次聊"), Words("Goodbye!", "再见！下次见。")),
    "abilities": Reply((
        "Who are you?", "What is your name?", "What can you do?", "What files can you read?", "How do I upload a file?",
        "What languages do you speak?", "你是谁？", "你叫什么？", "你能做什么？", "怎么上传文件？", "你会说英语吗？"),
        Words("I am the bundled extractive model here. Attach a file and ask about it, in English or Chinese: I read "
            "documents and the text in pictures, quote what answers with its source, summarise by main sentences, "
            "fetch web pages, calculate, and tell the time. To converse and write, set LLM_API_KEY.",
            "我是本服务内置的摘录式模型。请附上文件并用中文或英文提问：我可以阅读文档和图片中的文字，"
            "引用原文回答并注明出处，摘出要点句子，读取网页，做计算，查询时间。"
            "如需自由对话和写作，请设置 LLM_API_KEY。")),
    "writing": Reply(("Translate this sentence into French", "Write a Python function", "Write me a poem about spring",
         "Draft an email to my boss", "把这段话翻译成英文", "帮我写一段代码", "写一首关于春天的诗", "帮我写一封邮件"),
        Words("I quote; I do not write, translate or program. Set LLM_API_KEY for a language model that does.",
            "我只摘录原文，不能写作、翻译或编程。设置 LLM_API_KEY 即可使用具备这些能力的语言模型。")),
    "small_talk": Reply((
        "How are you today?", "Tell me a joke", "I feel a bit tired and sad", "What do you think about rainy days?",
        "你今天心情怎么样？", "给我讲个笑话吧", "我今天有点难过", "你喜欢音乐吗？"),
        Words("I am better with documents than with conversation: send me a file or a picture and ask about it.",
            "闲聊我不太擅长，更擅长查阅文档和图片：发一份文件给我，我来帮您找答案吧。")),
}  # fmt: skip
KNOWLEDGE: Final = (
    "What is the capital of Australia?", "Who invented the telephone?", "How does photosynthesis work?",
    "When was the bridge opened?", "What is the name of the river?", "How much is the deposit?", "What is my name?",
    "Where do I live?", "What did he do after the war?", "What can the army use?", "澳大利亚的首都是哪里？",
    "谁发明了电话？", "光合作用的原理是什么？", "租期是多久？", "他叫什么名字？", "我叫什么名字？", "我住哪里？",
    "该公司能生产什么？", "战争结束后他做了什么？",
)  # fmt: skip
"""Questions that no fixed text answers."""
UNRELATED: Final = [example for reply in REPLIES.values() for example in reply.examples]
"""Texts of no document: how near a question is to these, it is to any."""
