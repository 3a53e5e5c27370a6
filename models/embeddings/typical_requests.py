"""Everyday requests in both languages, about anything: the mean of their vectors is what all requests have in common.

The vectors of E5 and its kin all point much the same way, by language and by kind of text. Taking away that mean
leaves what a request is about.
"""

from __future__ import annotations

from typing import Final, get_args

from domain.words import Language, Words

_REQUESTS: Final = Words(
    """
How is the weather over the weekend?
Write a short thank-you note to my landlord.
Which of these two phones has the better camera?
What is the capital of Mongolia?
Turn this recipe into a shopping list.
How long does a train to Berlin take?
Explain inflation to a ten-year-old.
Fix the bug in this function.
Please move my dentist appointment to Thursday.
What did the minister say yesterday?
Convert 3 cups of flour to grams.
Show me all unpaid invoices.
Who wrote this letter, and when?
Give me five names for a bakery.
Is this clause legal for a tenant?
Make the second paragraph shorter.
What does this error message mean?
Compare our sales with last year's.
Tell Anna that I will be late.
Book a table for four at seven.
Where did I save the minutes?
How many people work in the lab?
Play something quiet.
Delete the old backups.
Translate the menu into Spanish.
What is 15% of 2,340?
Draw a floor plan with three rooms.
Are there any cheap flats near the station?
Set the heating to twenty degrees.
Which team won the final?
Summarise the attached report.
Update the address of this customer.
What should I cook with eggs and rice?
Check whether the server answers.
Find the shortest way to the museum.
When does the shop open on Sunday?
List the files that changed today.
Calculate the monthly instalment.
Read me the headlines.
How do I take care of an orchid?
""",
    """
周末天气怎么样？
给房东写一封简短的感谢信。
这两款手机哪个拍照更好？
蒙古国的首都是哪里？
把这个菜谱变成购物清单。
坐火车去北京要多久？
用小学生能听懂的话解释通货膨胀。
帮我修一下这个函数的错误。
把看牙医的时间改到星期四。
部长昨天说了什么？
三杯面粉是多少克？
列出所有还没付的账单。
这封信是谁写的，什么时候写的？
给一家面包店起五个名字。
这条条款对租客合法吗？
把第二段缩短一些。
这个报错是什么意思？
把今年的销售额和去年比较一下。
告诉安娜我会晚到。
订一张七点的四人桌。
会议纪要我存在哪里了？
实验室里有多少人？
放一点安静的音乐。
删掉旧的备份。
把菜单翻译成西班牙语。
2340 的 15% 是多少？
画一张三个房间的平面图。
车站附近有便宜的房子吗？
把暖气调到二十度。
决赛哪个队赢了？
总结一下附件里的报告。
更新这个客户的地址。
鸡蛋和米饭可以做什么菜？
检查一下服务器有没有响应。
去博物馆怎么走最近？
商店星期天几点开门？
列出今天改动过的文件。
算一下每月要还多少。
给我念一下新闻标题。
兰花要怎么养？
""",
)
TYPICAL: Final[dict[Language, list[str]]] = {
    language: _REQUESTS.text(language).strip().splitlines() for language in get_args(Language)
}
