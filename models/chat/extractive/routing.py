"""What the user wants, by the nearest example sentence (k nearest neighbours over sentence embeddings)."""

from __future__ import annotations

import asyncio
import re
from typing import Final

import numpy as np

from models.embeddings.interface import Embedder, Vectors

NEIGHBOURS: Final = 2
"""A label's score is the mean similarity of this many of its nearest examples."""

EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "search_documents": (
        "What does my uploaded contract say about termination?",
        "Find the section about refunds in the handbook",
        "Look in my files for the invoice number",
        "合同里关于违约金是怎么说的？",
        "在我上传的文档里查找退款规定",
        "手册中保修期是多久？",
    ),
    "fetch_url": (
        "Read this web page and tell me what it says",
        "Open the link and summarise the article",
        "What is on this website?",
        "打开这个网页，看看写了什么",
        "总结一下这个链接的内容",
    ),
    "web_search": (
        "Search the web for the latest news about electric cars",
        "Look up today's exchange rate online",
        "What is the weather in Oslo?",
        "上网搜索一下最新的新闻",
        "帮我在网上查一下今天的股价",
        "北京今天天气怎么样？",
    ),
    "list_documents": (
        "Which files have I uploaded?",
        "List my documents",
        "How many documents do you have?",
        "我上传了哪些文件？",
        "列出所有文档",
        "目前有几份资料？",
    ),
    "current_time": (
        "What time is it now?",
        "What is today's date?",
        "Which day of the week is it today?",
        "What time is it in New York?",
        "现在几点了？",
        "今天是几月几号？",
        "今天星期几？",
    ),
    "calculate": (
        "What is 15% of 240?",
        "Calculate (3 + 4) * 12",
        "What is 144 divided by 12?",
        "How much is 25 times 16?",
        "计算 35 乘以 12",
        "(8+2)*5 等于多少？",
        "100 的百分之二十是多少？",
    ),
    "summary": (
        "Summarise this document",
        "Give me an overview of the report",
        "What is this file about?",
        "总结一下这份文档",
        "这篇文章主要讲了什么？",
        "概括文件的主要内容",
    ),
    "picture_text": (
        "What does the sign in the picture say?",
        "Read the text in this image",
        "What is written here?",
        "图里写了什么？",
        "图片上的文字是什么？",
        "读出这张照片中的文字",
    ),
    "picture_content": (
        "What is in this picture?",
        "Describe the image",
        "What can you see in the photo?",
        "图片里有什么？",
        "描述一下这张图",
        "这张照片拍的是什么？",
    ),
    "memory": (
        "What is my name?",
        "What did I tell you earlier?",
        "Do you remember where I live?",
        "What was my first question?",
        "我叫什么名字？",
        "我刚才说了什么？",
        "你还记得我住在哪里吗？",
    ),
    "statement": (
        "My name is Anna and I live in Berlin.",
        "I like green tea best.",
        "Please remember that the meeting is on Friday.",
        "我叫小明，住在上海。",
        "我最喜欢的颜色是蓝色。",
        "请记住，会议在周五。",
    ),
    "greeting": ("Hello!", "Hi there, good morning", "你好", "早上好", "嗨，在吗？"),
    "thanks": ("Thank you very much", "Thanks, that helped", "谢谢你", "太感谢了，帮了大忙"),
    "farewell": ("Goodbye!", "See you later, bye", "再见", "拜拜，下次聊"),
    "identity": ("Who are "
    "you?", "What is your name?", "Are you a human or a robot?", "你是谁？", "你叫什么名字？", "你是机器人吗？"),
    "abilities": ("What can you "
    "do?", "How can you help me?", "Which files can you read?", "你能做什么？", "你有什么功能？", "怎么使用你？"),
    "small_talk": (
        "How are you today?",
        "Tell me a joke",
        "I feel a bit tired and sad",
        "What do you think about rainy days?",
        "你今天心情怎么样？",
        "给我讲个笑话吧",
        "我今天有点难过",
        "你喜欢音乐吗？",
    ),
    "knowledge": (
        "What is the capital of Australia?",
        "Who invented the telephone?",
        "How does photosynthesis work?",
        "Write a Python function that sorts a list",
        "Translate this sentence into French",
        "澳大利亚的首都是哪里？",
        "谁发明了电话？",
        "光合作用的原理是什么？",
        "帮我写一段代码",
    ),
}  # fmt: skip


_CUE_PATTERNS: Final[dict[str, str]] = {
    "search_documents": r"\b(?:contract|handbook|manual|policy|report|lease|agreement|invoice|section|clause"
    r"|chapter|paper|"
    r"guide|according to)\b|合同|手册|说明书|规定|条款|守则|报告|发票|第.{1,3}[章节条页]|根据|文中|资料里"
    r"|文档[里中]|文件[里中]",
    "fetch_url": r"https?://|\bwww\.|\b(?:web ?page|website|url|link)\b|网页|网址|链接|网站",
    "web_search": r"\b(?:search the (?:web|internet)|google|online|look up|news|weather|forecast|stock|exchange "
    r"rate|latest|rain|snow"
    r"|price of|current price)\b|上网|网上|搜索|搜一下|搜搜|新闻|天气|下雨|股价|汇率|油价|最新|最近的",
    "list_documents": r"\b(?:list|which|what|how many|show)\b.{0,30}\b(?:documents?|files?|pdfs?|uploads?)\b.{0,20}"
    r"\b(?:i|you|me|here|chat|conversation|stored|uploaded)\b|\b(?:list|show)\b.{0,12}\bmy (?:documents|files"
    r"|uploads)\b|i(?:'ve| have)? (?:sent|uploaded)"
    r"|我?(?:上传|发|传).{0,4}(?:哪些|什么|几)|(?:我|你|目前|这里|现在|已)有(?:哪些|几[份个]|多少).{0,3}(?:文件"
    r"|文档|资料)|列出.{0,6}(?:文件|文档|资料)|(?:文件|文档)(?:列表|清单)",
    "current_time": r"\btime is it\b|\btell me the time\b|today'?s date|\bdate (?:is it )?today\b|\b(?:day|date) "
    r"is (?:it|today)\b"
    r"|\bcurrent (?:time|date)\b|\bis it (?:mon|tues|wednes|thurs|fri|satur|sun)day\b|^\W*what(?:'s| is) the "
    r"(?:time|date)\W*(?:now|in .{2,30})?\W*$"
    r"|几点|(?:今天|今日).{0,4}(?:几月|几号|星期|周几|日期|礼拜)|现在.{0,4}时间|星期几|什么时间了",
    "summary": r"\b(?:summar\w+|overview|tl;?dr|main (?:points?|idea)|gist|sum (?:it )?up|what(?:'s| is) (?:this"
    r"|it|the \w+) about|what(?:'s| is) (?:in|on) (?:it|this|the (?:file|document|report|pdf)))\b"
    r"|\bwhat (?:does|do|did) (?:it|this|they|the \w+) say\W*$|^\W*what(?:'s| is) (?:this|that)\W*$|^这是(?:什么"
    r"|啥)[？?。]*$|总结|概括|概述|摘要|大意|归纳|主要(?:内容|讲|说)"
    r"|[讲写说]了?(?:些)?(?:什么|啥)(?:内容)?[？?。]*$|要点",
    "picture_text": r"\b(?:read|transcribe|text|words?|say|says|written|ocr)\b.{0,40}\b(?:picture|image|photo|sign"
    r"|poster|screenshot|here|scan|label|board|card|ticket|receipt)\b"
    r"|\b(?:picture|image|photo|sign|poster|screenshot|label|board|card|ticket|receipt)\b.{0,12}\b(?:say|says|read"
    r"|text)\b"
    r"|(?:写的?(?:了|着|是)?(?:什么|啥|些)|文字|[图牌]中?的?字|念出|读出|识别)",
    "picture_content": r"\b(?:picture|image|photo|drawing)\b|图片|照片|图里|图中|这张图|画面|拍的|看图",
    "memory": r"^\W*(?:is my (?:name|age|job|birthday)|am i|do i|did i|have i)\b.*\?"
    r"|\b(?:what|where|who|when|which|how (?:many|much|old))\b(?:'s)?.{0,24}\b(?:my|i|me)\b.*\?|\b(?:am i "
    r"called|did i (?:say|tell|ask|mention)"
    r"|do you remember|remind me|i told you|i'm called)\b|我叫什么|我的名字|我是谁|还记得|我(?:刚才|之前|刚刚)|我说过"
    r"|我(?:几岁|多大|住|来自|喜欢|养|的).{0,6}(?:什么|哪|谁|几|多少|啥)",
    "statement": r"^\s*(?:i(?:'m| am| like| live| work| have| prefer)|my \w+ (?:is|are)|our \w+|we (?:are|have"
    r"|need)|please remember"
    r"|remember that|note that)\b.*[^?]$|^(?:我(?:叫|是|住|喜欢|最喜欢|今年|来自|有)|我们?的?"
    r"|请?记住)[^？?吗呢什么哪谁几]*$",
    "greeting": r"^\W*(?:hi|hello|hey|howdy|good (?:morning|afternoon|evening)|greetings)\b[^?]{0,20}$|^\W*(?:你好"
    r"|您好|早上好|早安|下午好|晚上好|嗨|哈喽|哈啰|在吗).{0,6}$",
    "thanks": r"\b(?:thanks|thank you|cheers|appreciated?)\b|谢谢|多谢|感谢",
    "farewell": r"^\W*(?:bye|goodbye|good night|see you|farewell)\b|再见|拜拜|晚安|回见|下次聊",
    "identity": r"\b(?:who|what) (?:exactly )?are you\b|\byour name\b|are you (?:a |an )?(?:human|robot|bot|ai"
    r"|person)|introduce yourself"
    r"|你是(?:谁|什么|机器人|人|真人)|你叫什么|介绍.{0,4}你?自己",
    "abilities": r"\b(?:what|how) (?:\w+ ){0,4}(?:can|could) you (?:do|help)|\byou help (?:me )?with\b|你(?:能|会"
    r"|可以)(?:做|干|帮|些)?.{0,4}(?:什么|啥)|什么功能|怎么(?:使用)?用你|怎么使用",
    "small_talk": r"^\W*(?:how are you|how(?:'s| is) it going|how do you do|what's up|nice to meet you)\b"
    r"|你好吗|最近(?:怎么样|好吗|如何)|讲个笑话",
    "knowledge": r"^(?:who|when|where|which|why|what year|how (?:tall|high|far|old|long|many|big|does|do|did))\b"
    r"|^(?:explain|define|translate|"
    r"write|what (?:is|are|was|were) (?:the |a |an )?\w+)|解释|翻译|写一(?:首|篇|段|个)|谁|作者|首都|原理"
    r"|有多[长高大远深]|哪一年",
}
CUES: Final = {label: re.compile(pattern, re.IGNORECASE) for label, pattern in _CUE_PATTERNS.items()}
CUE_BONUS: Final = 0.2
"""Added to a label's (centred) similarity when its cue words stand in the text."""


class Router:
    """Finds the label whose examples are nearest to a text. The examples are embedded once, when first needed.

    Similarities are taken after subtracting the mean of the examples: E5 vectors all point much the same way.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._lock = asyncio.Lock()
        self._mean: Vectors | None = None
        self._english: Vectors | None = None
        self._examples: Vectors | None = None
        self._labels = np.array([label for label, texts in EXAMPLES.items() for _ in texts])

    async def warm(self) -> None:
        """Embed the examples (2 to 3 seconds of one core) unless that was done.

        Raises:
            Unavailable: The embedding model failed.
        """
        async with self._lock:
            if self._examples is None:
                texts = [text for examples in EXAMPLES.values() for text in examples]
                vectors = np.stack([await self._embedder.query(text) for text in texts])
                self._mean = vectors.mean(axis=0)
                self._english = vectors[[text.isascii() for text in texts]].mean(axis=0)
                self._examples = _unit(vectors - self._mean)

    async def scores(self, text: str, vector: Vectors) -> dict[str, float]:
        """Return how well each label fits a text, embedded as the query `vector`; more is better."""
        await self.warm()
        assert self._examples is not None and self._mean is not None
        similarity = self._examples @ _unit(vector - self._mean)
        return {
            label: float(np.sort(similarity[self._labels == label])[-NEIGHBOURS:].mean())
            + CUE_BONUS * has_cue(label, text)
            for label in EXAMPLES
        }

    async def usual(self, vector: Vectors) -> float:
        """Return the mean cosine of a query vector to the English examples: how close it is to any short text.

        Some questions are close to everything; what counts is how much closer an answer is (cf. zero normalisation of
        scores in speaker verification).
        """
        await self.warm()
        assert self._english is not None
        return float(vector @ self._english)

    async def label(self, text: str, vector: Vectors) -> str:
        """Return the best label of a text."""
        scores = await self.scores(text, vector)
        return max(scores, key=lambda label: scores[label])


def has_cue(label: str, text: str) -> bool:
    """Tell whether words that go with a label stand in the text."""
    return label in CUES and bool(CUES[label].search(text))


def _unit(vectors: Vectors) -> Vectors:
    unit: Vectors = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit
