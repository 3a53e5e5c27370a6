from __future__ import annotations

import pytest

from domain.language import language_of
from domain.types import QuestionKind
from turn.question import LAST_PAGE, question_of

SOCIAL = """
hi
Hello!
hello there
Hey :)
Hi, good morning
Good evening everyone
good afternoon
Howdy
Greetings!
How are you?
Hi, how are you today?
How's it going?
What's up?
Nice to meet you!
Thanks
thank you
Thank you very much!
Thanks a lot for your help
many thanks
thx!
ok thanks
Great, thank you so much
That was very helpful, thanks.
Thanks for the quick answer!
Much appreciated
Cheers
Perfect.
Got it
I see, thanks
OK
cool
no problem
Sorry!
Bye
Goodbye!
Bye bye, see you tomorrow
See you later
Good night
Have a nice day
Take care!
你好
您好！
你好啊
嗨
哈喽～
大家好
早
早上好！
下午好，老师
晚上好
在吗？
你好，在吗
你好吗？
最近怎么样？
谢谢
谢谢你！
非常感谢
太感谢了，帮了大忙
多谢您的帮助
感谢你的耐心解答！
辛苦了
好的，谢谢
好的
嗯嗯
明白了
知道了，谢谢你
原来如此
收到
太好了！
很好
不错不错
没关系
不客气
不好意思
再见
拜拜
晚安！
明天见
下次再聊
那先这样，再见
"""

PAGES = """
What is on page 12? | 12
Summarize page 3 | 3
summarise page 4 for me please | 4
What does page 7 say? | 7
Explain page 2 | 2
show me page 10 | 10
Page 5 | 5
and page 6? | 6
What's written on page 1 of the report? | 1
Give me a brief summary of page 9 | 9
Read page three | 3
What is page 11 about? | 11
the content of page 8, please | 8
What is on the first page? | 1
What does the last page say? | -1
Can you explain page 14 to me? | 14
Tell me what is on p. 21 | 21
Describe page 2 of the document in two sentences | 2
第三页讲了什么？ | 3
第12页写了什么 | 12
总结一下第5页 | 5
请概括第二页的内容 | 2
第十页是什么内容？ | 10
第十二页的主要内容是什么？ | 12
介绍一下第4页 | 4
那第 6 页呢？ | 6
文档第七页说了些什么 | 7
这份文件的第8页有什么？ | 8
帮我看看第二十一页 | 21
第一百零五页讲了啥 | 105
最后一页写了什么？ | -1
首页有什么内容 | 1
请解读报告的第九页 | 9
"""

OVERVIEWS = """
Summarise it
Summarise memo.txt
memo.txt讲了什么？
总结一下报价单.csv
Summarize this document
Please give me a summary.
Can you summarise the file I sent?
What is this document about?
What is this about?
What's in the file?
What does the report say?
Give me an overview of the report
tl;dr
TLDR please
What are the main points?
What are the key points of this paper?
Sum it up in three sentences
Summarize the attached PDF in one paragraph
What are the key findings of the report?
Tell me about this document
Describe the document briefly
What does the contract cover?
Please read the attached file
Explain this document to me
What is the gist of the article?
What do the documents contain?
Give me a short summary of all the files
What is in the files I sent?
Summarise both documents
I need a brief overview
Could you make an outline of the text?
What is the main idea?
Recap the meeting notes
Give me a synopsis of the book
Summarize the lease
Review my essay
What topics does the manual cover?
Summary in Chinese, please
总结一下
请总结这份文档
帮我概括一下这篇文章
这份文件讲了什么？
这是什么？
这是什么文件？
这篇报告主要讲了什么内容
这个文件的主要内容是什么？
文档里有什么？
请介绍一下这份合同
请介绍我发送的文件的内容。
给我一个摘要
用三句话总结全文
要点有哪些？
这篇论文的核心内容是什么
归纳一下文章大意
写一份概述
请用中文概括这个PDF
这本书讲的是什么
读一下这份报告
分析一下我上传的文件
这些文件分别是关于什么的？
列出本文的要点
帮我梳理这份材料的重点
说说这份简历的内容
这封信写了什么？
文章的中心思想是什么？
概括一下这份租赁合同
请简要说明这个文档的内容
看看这个附件
总结所有文档
"""

PICTURES = """
What is in this picture?
Describe the image
What does the photo show?
Which batch was on the label?
What does the sign say?
Read the text in the screenshot
What is written on the poster?
Who is in the photograph?
What colour is the car in the picture?
Is there a dog in these pictures?
What time is shown on the ticket?
How much is the total on the receipt?
Transcribe the words on this whiteboard
What error does the screenshot show?
Can you read the sign in the photo?
What is on the screen?
How many people are in the image?
这张图片里有什么？
描述一下这张照片
图里写了什么？
照片上是谁？
截图里的报错是什么？
海报上的日期是哪天？
识别图片中的文字
标签上的批次号是多少？
这张图是什么意思
招牌上写的什么
图中有几个人？
小票上的总金额是多少
画面里的车是什么颜色？
请念出白板上的字
"""

PASSAGES = """
What is the deposit?
Who wrote memo.txt?
What does lease-2024.pdf say about rent?
What is node.js?
How much is the rent?
Who signed the contract?
When does the agreement end?
What does the document say about parking?
Is there anything about refunds in the manual?
Does the report mention inflation?
What is the notice period for tenants?
Who is the author of the book?
Who is named on page 12?
On which page is the deposit mentioned?
How many pages does the document have?
Summarise what the report says about the new bridge costs
Summarise chapter 3 of the handbook
Give me an overview of the safety rules for crane operators
What are the main causes of the First World War?
Explain clause 7 of the contract
Compare the prices on pages 3 and 5
Thanks, and what is the deposit?
Hi, what is the capital of France?
Good morning, when does the library open?
Hello, please find the invoice number
ok and how much does it cost?
Great Britain joined when?
What greeting does the letter open with?
Who said thank you in the letter?
Is it ok to keep pets?
What is the nicest town in the book?
Which movie is called Good Morning?
How are the costs split?
How are you supposed to store the vaccine?
What is up for renewal in May?
Did Germany sign the treaty?
Which record label published the album?
What does DNA stand for?
How is a contract terminated?
When was the file cabinet delivered?
What percentage of the text was translated by machine?
Translate the second paragraph into Chinese
Write an email to the landlord
What is the weather in Paris today?
What is 12.5% of 80?
What time is it?
Who wrote the paper on superconductors?
Which document contains the warranty terms?
How do I read the meter?
Explain how photosynthesis works
What does the boiler manual say about pressure?
Tell me about Marie Curie
What is the purpose of the second experiment?
Where is the emergency exit located?
List all the dates in the contract
Are dogs allowed?
What happens if I pay late?
Who should I contact for repairs?
Find the phone number of the caretaker
What does section 4.2 require?
Why did the experiment fail?
How long is the warranty?
Which of the two suppliers is cheaper?
What was the revenue in 2023?
押金是多少？
租金什么时候交？
谁签了合同？
合同什么时候到期？
关于违约金，合同里是怎么规定的？
文档里有没有提到退款？
报告里怎么说通货膨胀的？
第12页提到了谁？
押金在第几页？
这份文件一共有多少页？
总结报告里关于新大桥造价的内容
概括第三章的安全规定
解释合同第七条的违约责任
谢谢，押金是多少？
你好，法国的首都是哪里？
早上好，图书馆几点开门？
好的，那租金呢？多少钱一个月？
信的开头是怎么问候的？
谁在信里表示了感谢？
可以养宠物吗？
图书馆周日开放吗？
他的意图是什么？
地图上标注的首都在哪个省？
谁发明了电话？
光合作用的原理是什么？
今天天气怎么样？
现在几点了？
12.5%的80是多少？
把第二段翻译成英文
给房东写一封邮件
哪份文件里有保修条款？
锅炉手册对压力有什么要求？
讲讲居里夫人
第二个实验的目的是什么？
紧急出口在哪里？
列出合同中的所有日期
逾期付款会怎样？
维修应该联系谁？
找一下物业的电话号码
4.2节要求什么？
实验为什么失败了？
保修期多长？
两家供应商哪家便宜？
2023年的营业收入是多少？
作者为什么要写这本书？
合同的甲方是谁？
稿酬标准是多少？
谁负责检修？
大桥有多长？
我叫什么名字？
试用期是几个月？
员工每年有多少天年假？
再见面的时间定在哪天？
晚安故事的作者是谁？
早餐几点供应？
公司的地址在哪里？
"""

FOLLOW_UPS = """
And in which room?
And the rent?
But why?
So when does it end?
How much is it?
What about parking?
How about the second floor?
Why?
Why not?
By when?
With whom?
Since when?
Who wrote it?
When was it built?
What is its height?
Who are they?
Where do they live?
What did he say about that?
When was she born?
Is it expensive?
Does it apply to students?
Can they cancel?
What does that mean?
Does that include heating?
What else?
Who else was there?
Anything else?
How many?
How long?
Which one?
Which room?
And page 6?
Yes
yes please
no
Go on
continue
Tell me more
more details please
Can you elaborate?
Explain further
Give me an example
the second one
What about the other one?
Then what?
Also in winter?
In what year?
How old is he?
What are their names?
Where exactly?
Is that one cheaper?
在哪个房间？
那婚假呢？
那租金呢？
为什么？
是谁设计的？
它有多长？
他是谁？
她什么时候出生的？
他们住在哪里？
多少钱？
多久？
什么时候？
哪一年？
在哪里？
谁？
还有呢？
还有别的吗？
另外呢？
那为什么不行？
那第二个呢？
那个多少钱？
这个怎么用？
继续
请继续
详细一点
再详细说说
展开讲讲
举个例子
是的
对
不是
它的高度是多少？
其价格是多少？
该项目什么时候结束？
然后呢？
接着呢？
冬天呢？
学生呢？
由谁负责？
从什么时候开始？
怎么申请？
如何取消？
为何？
那里有停车场吗？
又是为什么？
以及在哪个城市？
而且要多少钱？
那么期限是多久？
此事由谁批准？
他们的名字是什么？
这种情况适用吗？
第三季度呢？
"""

OWN_FEET = """
What is the deposit?
Who is the mayor of Paris?
Is there a swimming pool?
What is my name?
When did Lavoisier publish his book?
By how much did Kent-Brown reduce his investment in Harvard?
What did Microsoft announce that it would rename Sky Drive Pro to?
Are there any pets in the building?
There are three keys; who has the spare?
Summarise it
What is this document about?
What does this report cover?
Who wrote the article on superconductors?
Where is the emergency exit located?
Which companies signed the agreement?
How long is the warranty?
How many employees work in Berlin?
How does photosynthesis work?
Explain the theory of relativity
Why did the experiment fail?
What happens if I pay late?
Translate the second paragraph into Chinese
Hello
Thank you!
Is this document signed?
Does this contract cover water damage?
In which year was the bridge opened?
For whom did Mozart write the Requiem?
On what date does the lease start?
What was the revenue in 2023?
Who should I contact for repairs?
List all dates in the contract
What time is it?
Describe the image
Can I keep a dog?
My name is Lin and I live in Hangzhou.
Search the web for electric cars
What percentage of voters abstained?
Do students pay tuition at the university?
What did the committee decide about its own budget?
谁负责检修？
稿酬标准是多少？
大桥有多长？
我叫什么名字？
押金是多少？
合同什么时候到期？
员工每年有多少天年假？
总结一下这份文档
这份文件讲了什么？
这个合同由谁签署？
这张图片里有什么？
哪家公司中标？
哪位作家写了《红楼梦》？
什么是光合作用？
谁发明了电话？
为什么天空是蓝色的？
怎么申请公积金贷款？
如何更换打印机墨盒？
多少人参加了会议？
在哪个城市举办了奥运会？
从什么时候开始实行新税法？
可以养宠物吗？
你好
谢谢
此外还规定了哪些义务？
其中最贵的产品是什么？
其实我想问押金是多少
应该怎么缴费？
亚洲电视的台长认为他的节目怎么样？
鲁迅先生在他的小说里写了谁？
第三页讲了什么？
项目预算是多少？
而不是去年的营业收入是多少？
公司地址在哪里？
逾期付款会怎样？
保修期多长？
列出合同中的所有日期
今天几号？
试用期是几个月？
两家供应商哪家便宜？
"""

FILES = """
Which files do I have?
What files have I uploaded?
What documents are here?
Show me my files
我有哪些文件？
我上传了什么文件？
有几个文件？
这份文件有几页？
"""
WHOLE = """
What are my documents about?
What's in the documents?
Describe the documents I uploaded
Show me what the documents contain
List the key points of the documents
文档里有哪些要点？
这是什么文件？
"""


def lines(table: str) -> list[str]:
    return table.strip().splitlines()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        *[(text, "social") for text in lines(SOCIAL)],
        *[(text, "overview") for text in lines(OVERVIEWS)],
        *[(text, "overview") for text in lines(WHOLE)],
        *[(text, "files") for text in lines(FILES)],
        *[(text, "picture") for text in lines(PICTURES)],
        *[(text, "passages") for text in lines(PASSAGES)],
    ],
)
def test_what_kind_of_question_it_is(text: str, kind: QuestionKind) -> None:
    assert question_of(text, language_of(text))["kind"] == kind


@pytest.mark.parametrize("row", lines(PAGES))
def test_a_question_about_one_page_as_a_whole(row: str) -> None:
    text, number = row.split(" | ")
    asked = question_of(text, language_of(text))
    assert (asked["kind"], asked["page"]) == ("page", int(number))


@pytest.mark.parametrize("text", lines(FOLLOW_UPS))
def test_it_leans_on_the_question_before(text: str) -> None:
    assert question_of(text, language_of(text), ["When is the meeting?"])["follows"] == "When is the meeting?"


@pytest.mark.parametrize("text", lines(OWN_FEET))
def test_it_stands_by_itself(text: str) -> None:
    assert question_of(text, language_of(text), ["When is the meeting?"])["follows"] == ""


def test_earlier_questions_are_taken_along_as_far_as_they_lean_on_each_other() -> None:
    earlier = ["Who are you?", "When is the meeting?", "And in which room?"]
    assert question_of("And who leads it?", "en", earlier)["follows"] == "When is the meeting? And in which room?"
    assert question_of("What is the deposit?", "en", earlier)["follows"] == ""
    assert question_of("And why?", "en")["follows"] == ""


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("Who is named on page 12?", 12),
        ("第12页提到了谁？", 12),
        ("What does the last page say about fees?", LAST_PAGE),
        ("Compare page 3 and page 5", 0),
        ("Summarise pages 3 to 5", 0),
        ("总结第3到第5页", 0),
        ("What is the deposit?", 0),
    ],
)
def test_the_one_page_that_is_named(text: str, page: int) -> None:
    assert question_of(text, language_of(text))["page"] == page


def test_the_longest_message_is_looked_at_quickly() -> None:
    for text in ("thanks " * 4000, "好的" * 10_000, "page 1 " * 4000, "it " * 9000, "总结" * 10_000, "a-" * 15_000):
        assert question_of(text, "en")["text"] == text


@pytest.mark.parametrize(
    ("text", "kind"),
    [("Which page is that on?", "place"), ("在第几页？", "place"), ("Quote it.", "words"), ("引用原文", "words"),
     ("Quote the rule.", "passages")],
)  # fmt: skip
def test_a_question_about_the_answer_before(text: str, kind: str) -> None:
    assert question_of(text, language_of(text), ["How much is the deposit?"])["kind"] == kind
    assert question_of(text, language_of(text))["kind"] not in ("place", "words")
