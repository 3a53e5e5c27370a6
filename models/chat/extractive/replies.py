"""What the bundled reader says in its own words, in both languages. Everything else it says is a quotation."""

from __future__ import annotations

from typing import Final

from domain.words import Language, Words

NOT_SAID: Final = Words("The documents do not say.", "文档中没有提到。")
NOT_SAID_IN: Final = Words("The material does not say.", "资料中没有提到。")
NEAREST: Final = Words("The closest passage:", "最接近的内容：")
NO_DOCUMENTS: Final = Words(
    "This bundled reader answers from documents, pictures and tools only, and there are none here that answer "
    "this; it does "
    "not guess. Upload a file that holds the answer, or set LLM_API_KEY (with LLM_BASE_URL and LLM_MODEL) for a full "
    "language model.",
    "内置阅读器只根据文档、图片和工具作答，不会猜测；这里没有能回答该问题的资料。请上传包含答案的文件，"
    "或设置 LLM_API_KEY（以及 LLM_BASE_URL、LLM_MODEL）以使用完整的语言模型。",
)
NOT_TOLD: Final = Words("You have not told me that in this conversation.", "您在本次对话中没有告诉过我这一点。")
YOU_SAID: Final = Words("You told me: “{text}”", "您之前说过：“{text}”")
YOUR_MESSAGE: Final = Words("You wrote: “{text}”", "您写的是：“{text}”")
NOTED: Final = Words("Noted: “{text}”", "好的，已记下：“{text}”")
FAILED_FILE: Final = Words("**{name}** could not be used: {message} {remedy}", "**{name}** 无法使用：{message}{remedy}")
STILL_READING: Final = Words(
    "{name} is still being read: {done} of {total} pages so far.", "{name} 仍在读取中：已完成 {done}/{total} 页。"
)
SUMMARY_OF: Final = Words("**{name}**: {summary}", "**{name}**：{summary}")
NO_SUMMARY: Final = Words("{name}: there is no text to summarise.", "{name}：没有可供总结的文字。")
NO_FILES: Final = Words(
    "There is no document here to summarise. Upload one first.", "这里没有可以总结的文档，请先上传。"
)
NO_UPLOADS: Final = Words("You have not uploaded any files in this conversation.", "您在本次对话中还没有上传任何文件。")
ACKNOWLEDGED: Final = Words("All right. Ask me whenever you like.", "好的，有问题随时问我。")
TEXT_IN: Final = Words("Text in **{name}**:", "**{name}** 中的文字：")
NO_TEXT_IN: Final = Words("No text was recognised in **{name}**.", "**{name}** 中没有识别到文字。")
PICTURE: Final = Words("**{name}**: {description}", "**{name}**：{description}")
NO_VISION: Final = Words(
    "No vision model is configured (VISION_BASE_URL, VISION_API_KEY, VISION_MODEL), so this rests on simple facts and "
    "text recognition only.",
    "未配置视觉模型（VISION_BASE_URL、VISION_API_KEY、VISION_MODEL），以下仅依据图片的基本信息和文字识别。",
)
NO_PICTURE: Final = Words("There is no picture in this message.", "这条消息中没有图片。")
RECEIVED: Final = Words("{names}: received. Ask me anything about it.", "已收到 {names}，可以就其内容提问。")
TOOL_FAILED: Final = Words("The tool {tool} failed: {text}", "工具 {tool} 执行失败：{text}")
NO_TOOL_LEFT: Final = Words("The tools did not return an answer.", "工具没有返回可用的答案。")

GREETING: Final = Words(
    "Hello! Send me a document or a picture and ask about it, or ask me something a tool can find.",
    "您好！可以发给我文档或图片并就其内容提问，也可以问我工具能查到的事情。",
)
THANKS: Final = Words("You are welcome!", "不客气！还有什么需要，随时告诉我。")
FAREWELL: Final = Words("Goodbye!", "再见！期待下次与您交流。")
IDENTITY: Final = Words(
    "I am the bundled reader of this server: I find and quote the passages of your documents, pictures and tool "
    "results "
    "that answer a question. I am not a large language model; one can be set with LLM_API_KEY.",
    "我是本服务内置的阅读器：从您的文档、图片和工具结果中找出并引用能回答问题的原文。我不是大语言模型；"
    "设置 LLM_API_KEY 即可换用大语言模型。",
)
ABILITIES: Final = Words(
    "I can read documents (PDF, Word, text, web pages and more) and the text in pictures, answer questions by "
    "quoting them "
    "with their source, summarise them by their main sentences, fetch web pages, calculate, and tell the time. For "
    "free "
    "conversation and writing, set LLM_API_KEY.",
    "我可以阅读文档（PDF、Word、文本、网页等）和图片中的文字，引用原文回答问题并注明出处，摘出要点句子，"
    "读取网页，做计算，查询时间。如需自由对话和写作，请设置 LLM_API_KEY。",
)
HOW_ARE_YOU: Final = Words(
    "All is running well, thank you! What may I look up for you?", "我这边一切正常，谢谢关心！需要我帮您查点什么吗？"
)
UPLOADING: Final = Words(
    "Attach the file to your message: with the paper clip or by dropping it on the page, or with POST "
    "/api/v1/chat_with_file. Then ask about it, in the same message or later.",
    "请把文件附在消息中发送：点击回形针或把文件拖到页面上，也可以调用 POST /api/v1/chat_with_file。"
    "之后可在同一条消息或后续消息中就其内容提问。",
)
LANGUAGES: Final = Words(
    "I understand English and Chinese, and answer in the language of the question; quotations stay in the words of "
    "the document.",
    "我能理解中文和英文，并用提问的语言回答；引用的内容保留文档原文。",
)
NO_WRITING: Final = Words(
    "This bundled reader quotes; it does not write, translate or program. Set LLM_API_KEY (with LLM_BASE_URL and "
    "LLM_MODEL) for a language model that does.",
    "内置阅读器只会摘录原文，不能写作、翻译或编程。设置 LLM_API_KEY（以及 LLM_BASE_URL、LLM_MODEL）"
    "即可使用具备这些能力的语言模型。",
)
PAGES: Final = Words("Pages of **{name}**: {total}.", "**{name}** 共 {total} 页。")
NO_SUCH_PAGE: Final = Words("There is no text on page {page}.", "第 {page} 页没有文字。")
SMALL_TALK: Final = Words(
    "I am better with documents than with conversation. Send me a file or a picture, and I will look for the "
    "answer in it.",
    "闲聊我不太擅长，不过很乐意帮您查阅文档和图片。发一份文件给我，我来帮您找答案吧。",
)


def say(words: Words, language: Language, **details: object) -> str:
    """Return one of the texts above in `language`, its placeholders filled."""
    text = words.zh if language == "zh" else words.en
    return text.format(**details) if details else text
