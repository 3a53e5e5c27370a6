"""Which language a person speaks, in sentences that mix both, and which a text is written in."""

from __future__ import annotations

import time

import pytest

from domain.language import Script, language_of, written_language

ENGLISH = [
    "What does 合同 mean?",
    "Translate: 你好",
    "Please summarise 《红楼梦》 for me",
    "Who is 李白?",
    "How do you say 谢谢 in Chinese?",
    "what is 量子纠缠",
    "Explain 机器学习 in simple words",
    "The word 你好 means hello",
    "what does 谢谢 mean in English, please?",
    "Translate “我爱你” into English",
    "Summarise this:\n\n本合同有效期为三年，租金按月支付。逾期应付违约金。",
    "What is the capital of France?",
    "Hello there",
    "hi",
    "12345",
    "2 + 2 = ?",
    "😀",
    "Is 《三体》 a good novel?",
    "Open 合同.pdf and tell me the rent",
    "Read https://zh.wikipedia.org/wiki/北京 and summarise it",
    "`print('你好')` throws an error, why?",
    "```\n打印(1)\n```\nWhat does this code do?",
    "Who wrote 红楼梦?",
    "Tell me about 北京",
    "北京 weather today",
    "Is 8 lucky in 中国?",
    "Can I say 你好吗 to my boss?",
    "Send it to 张伟 please",
    "What is Zhang Wei's (张伟) phone number?",
    '"Good morning"',
    "Why does SELECT * FROM users WHERE name = '张三' fail?",
    "meaning of 缘分",
    "compare 北京 and 上海",
    "Translate 我爱你 to English",
    "In which year was 清华大学 founded?",
    "Please answer in Chinese: what is photosynthesis?",
    "List the parties of 租赁合同 and 补充协议",
    "What year did 邓小平 visit Texas?",
    "please use 简体中文",
    "Reply in 中文 please",
    "in 中文",
    "difference between 的 and 得",
    "Why do people say 加油?",
    "Nice!",
    "How much is ¥500 in dollars?",
    "Is there a train from 上海虹桥 to 北京南 tomorrow?",
    "Give me the pinyin of 银行",
    "write a poem about 春节",
    "What's the stroke order of 我?",
    "Clause 3 of 合同 says what?",
    "find 押金 in the file",
    "find 押金",
    "search 租金",
    "Where does the file mention 违约金",
    "Who wrote “床前明月光”?",
    "Compare A公司 with B公司",
    "I typed 你好 and got mojibake",
    "hey can u read 繁體字",
    "how to use VLOOKUP in Excel",
    "この文書は何ですか",
    "안녕하세요",
    "Привет",
    "¿Qué es 合同?",
    "User: 你好\nAssistant: 您好\n\nWhat did the user say?",
    "1. 租金\n2. 押金\nExplain each item.",
    "Fix this sentence: 我昨天去了商店",
    "report.pdf",
]
CHINESE = [
    "用Python写一个quicksort函数",
    "OK，那 deadline 呢",
    "总结一下：\n\nThe lease runs for three years. Rent is paid monthly. Interest accrues on late payment.",
    "The lease runs for three years. Rent is paid monthly. Interest accrues on late payment.\n\n这段话是什么意思？",
    "翻译：Hello world, how are you?",
    "请把 “How are you doing today, my friend?” 翻译成中文",
    "请总结这份 PDF 文件",
    "用 Python 写一个 hello world 程序",
    "我用 iPhone 15 Pro 拍照",
    "使用 Python 语言",
    "Docker 部署",
    "GitHub Actions 的 CI 为什么失败了",
    "React 和 Vue 哪个好",
    "帮我 review 一下这个 PR 的 code",
    "这个 bug 怎么 fix",
    "你好",
    "好",
    "嗯",
    "The Lord of the Rings 讲了什么？",
    "《The Great Gatsby》的作者是谁？",
    "What's up 是什么意思",
    '"break a leg" 怎么翻译',
    "打开 lease_agreement_final.docx 看看租金",
    "https://example.com/a/b 这个网页讲什么",
    "```python\ndef f(x):\n    return x\n```\n这段代码做什么？",
    "北京天气",
    "Python 教程",
    "iPhone 发布时间",
    "Deadline：下周五之前提交报告",
    "Question: 这是什么?",
    "我想去 New York 玩",
    "LLM 的 context window 是什么",
    "transformer 的 self-attention 怎么算",
    "发邮件给 bob.smith@example.com",
    "张伟 (Zhang Wei) 的电话是多少",
    "thanks 谢谢",
    "請問 machine learning 是什麼",
    "“早上好”",
    "KPI 达标了吗",
    "对比 Beijing 和 Shanghai",
    "How are you 用中文怎么说",
    "写一封英文邮件，subject 是 Quarterly Review Meeting",
    "请用英文回答: what is photosynthesis?",
    "甲方: ABC Holdings International Limited",
    "Party A: 北京某某科技有限公司",
    "帮我把 The quick brown fox jumps over the lazy dog 翻译一下",
    "邮件 subject 写什么好",
    "Spring Boot 项目启动报错 NullPointerException",
    "Redis 和 Memcached 的区别",
    "Tom 说他 next Monday 去 Shanghai 出差",
    "ok 收到",
    "MacBook Pro M3 值得买吗？",
    "我的 flight 是 CA1234，几点 boarding？",
    "查一下 NVIDIA 的 stock price",
    "NVIDIA stock price 是多少",
    "银行 pinyin",
    "以 Spring Festival 为题写首诗",
    "合同第3条 termination clause 怎么理解",
    "搜索 deposit",
    "deposit 在第几页",
    "谁写了 “To be, or not to be”",
    "A公司和B公司谁大",
    "run `ls -la` 之后显示 permission denied 怎么办",
    "字符串 encode 成 utf-8 以后 decode 报 UnicodeDecodeError",
    "Can you speak Chinese? 你会说中文吗？",
    "Hello，请问有人吗",
    "Excel 里 VLOOKUP 函数怎么用",
    "résumé 怎么写",
    "Café 推荐",
    "小明：Hi，你今天来吗",
    "下面是合同：\nParty A shall pay the rent.\nParty B shall keep it clean.",
    "改一下这句话：I has went to the store yesterday",
    "报告.pdf",
    "合同 lease.pdf 总结",
    "2024年 revenue",
    "revenue 2024年",
    "GPT-4o vs Claude 3.5 Sonnet 哪个写代码强",
    "`SELECT * FROM users WHERE name = '张三'` 报错了",
]
WRITTEN = [
    ("这份合同自签字之日起生效。", "zh"),
    ("这份合同用 PyMuPDF 读取，自签字之日起生效。", "zh"),
    ("This contract is valid from the day it is signed.", "en"),
    ("This contract 合同 is valid from the day it is signed.", "en"),
    ("Ce contrat est valide dès sa signature.", "en"),
    ("The word ありがとう means thanks.", "en"),
    ("この契約は署名の日から有効です。", "other"),
    ("Этот договор действует со дня подписания.", "other"),
    ("12 + 3 = 15", ""),
]


@pytest.mark.parametrize("text", ENGLISH)
def test_english(text: str) -> None:
    assert language_of(text) == "en"


@pytest.mark.parametrize("text", CHINESE)
def test_chinese(text: str) -> None:
    assert language_of(text) == "zh"


@pytest.mark.parametrize("text", ["", "12 + 3 = ?", "😀", "……"])
def test_a_text_without_letters_has_the_default(text: str) -> None:
    assert language_of(text, "zh") == written_language(text, "zh") == "zh"
    assert language_of(text) == written_language(text) == "en"


@pytest.mark.parametrize(("text", "language"), WRITTEN)
def test_the_language_of_a_document_is_that_of_most_words(text: str, language: str) -> None:
    script = Script()
    script.add(text)
    assert script.language == language
    assert written_language(text) == ("zh" if language == "zh" else "en")


@pytest.mark.parametrize("piece", ["(", "“", "a.a", "`", "'a", "a:", "《", "a@", "合同 is "])
def test_a_long_message_takes_no_longer_than_its_ends(piece: str) -> None:
    started = time.process_time()
    language_of(piece * 400_000)
    assert time.process_time() - started < 2
