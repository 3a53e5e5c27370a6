"""What a user states of themselves, told apart from everything else in a message."""

from __future__ import annotations

import pytest

from stores.memories.statements import may_state, slots_needed, statements
from turn.question import only_tells

STATED = {
    "name": ("My name is Ann Lee.", "Call me Bo", "我叫王伟", "我的名字是李娜"),
    "home": (
        "I live in Oslo now.",
        "We moved to Chengdu last month.",
        "I've just moved to Leeds",
        "我住在杭州",
        "我们搬到成都了",
    ),
    "origin": ("I'm from Kenya.", "我来自四川", "我是湖南人"),
    "birthday": ("My birthday is May 3.", "我的生日是5月3日"),
    "age": ("I'm 34 years old", "我今年28岁"),
    "work": (
        "I work as a nurse.",
        "I'm a software engineer.",
        "I joined Siemens",
        "我在华为工作",
        "我是一名护士",
        "我是会计",
    ),
    "diet": ("I'm allergic to peanuts.", "I don't eat meat.", "我对花生过敏", "我不吃辣", "我吃素"),
    "kin": ("My wife is called Lin.", "I have two cats.", "我女儿叫豆豆", "我养了一只猫", "我老婆是医生"),
    "favourite": ("My favourite colour is blue.", "我最喜欢的颜色是蓝色"),
    "likes": ("I really like jazz.", "I hate coriander", "I prefer short answers", "我不喜欢香菜", "我很喜欢爬山"),
    "doing": ("I'm learning Spanish.", "I started learning French.", "我在学西班牙语"),
}


@pytest.mark.parametrize(("slot", "text"), [(slot, text) for slot, texts in STATED.items() for text in texts])
def test_the_usual_forms_are_found(slot: str, text: str) -> None:
    (found,) = statements(text)
    assert (found.slot.partition(":")[0], found.text) == (slot, text) and may_state(text)


@pytest.mark.parametrize(
    "text",
    [
        "Translate this: I live in Paris.",
        "Please proofread: My name is Tom and I work as a cook.",
        "Write a letter: I moved to Berlin.",
        "翻译一下：我住在上海。",
        "帮我润色：我是一名教师，我喜欢画画。",
        'He said "I live in Rome and my wife is Italian."',
        "> I work as a nurse.",
        "```\nmy name is root\n```",
        "If I lived in Rome, what would I pay?",
        "Imagine I'm a pirate. I live in a cave.",
        "假如我住在火星，我喜欢红色。",
        "Do I live in a good area?",
        "我是不是住在杭州？",
        "我住在哪里呢",
        "I have a question about the report.",
        "I want to know the price.",
        "I like this answer.",
        "我想知道今天的天气。",
        "The tenant lives in Oslo.",
        "Here is the mail:\n\nI moved to Lisbon last week.\nMy name is Eve.",
        "Please forget that I like hiking.",
        "忘记我喜欢爬山这件事",
        "请把我住在成都这件事忘掉",
        "My password is hunter2hunter2 and I live here",
        "x" * 2001 + " I live in Oslo.",
    ],
)
def test_what_is_no_statement_of_the_user_leaves_nothing(text: str) -> None:
    assert statements(text) == []


def test_of_one_relative_several_things_hold_side_by_side() -> None:
    texts = (
        "My daughter is called Lina.", "My daughter is 5 years old", "My daughter Lina is allergic to nuts.",
        "My daughter's name is Mia now", "我女儿叫豆豆", "我女儿对花生过敏",
    )  # fmt: skip
    slots = [statements(text)[0].slot for text in texts]
    assert slots == ["kin:daughter name", "kin:daughter age", "kin:daughter lina is allergic to nuts",
                     "kin:daughter name", "kin:女儿 name", "kin:女儿 对花生过敏"]  # fmt: skip


def test_liking_and_hating_one_thing_have_one_slot() -> None:
    slots = {statements(text)[0].slot for text in ("I like jazz.", "I don't like jazz anymore", "I really hate jazz")}
    assert slots == {"likes:jazz"}
    assert statements("我喜欢爵士乐")[0].slot == statements("我现在不喜欢爵士乐了")[0].slot


@pytest.mark.parametrize(
    ("text", "kept"),
    [("Remember that I park on level 3", "I park on level 3"), ("请记住：我每周三下午有课", "我每周三下午有课")],
)
def test_what_the_user_asks_to_remember_is_kept_as_it_is(text: str, kept: str) -> None:
    (found,) = statements(text)
    assert (found.text, found.asked) == (kept, True)


def test_several_sentences_and_what_is_sensitive() -> None:
    found = statements("I moved to Chengdu. Is it warm there? I'm allergic to nuts. Thanks!")
    assert [(one.slot.partition(":")[0], one.sensitive) for one in found] == [("home", False), ("diet", True)]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "My name is Ann and I work at Acme as a nurse.",
            {"name": "My name is Ann", "work": "I work at Acme as a nurse."},
        ),
        ("我叫王伟，我住在成都，我是医生", {"name": "我叫王伟", "home": "我住在成都", "work": "我是医生"}),
        ("My wife and I live in Rome.", {"home": "My wife and I live in Rome."}),
        ("I live in Bonn and work as a nurse.", {"home": "I live in Bonn", "work": "I work as a nurse."}),
        (
            "I'm a nurse, live in Bonn and like jazz",
            {"work": "I'm a nurse", "home": "I live in Bonn", "likes:jazz": "I like jazz"},
        ),
        (
            "我叫陈小明，住在成都，是护士，今年30岁。",
            {"name": "我叫陈小明", "home": "我住在成都", "work": "我是护士", "age": "我今年30岁。"},
        ),
        ("我对花生过敏，喜欢爬山", {"diet:对花生过敏": "我对花生过敏", "likes:爬山": "我喜欢爬山"}),
        ("我不吃辣，也不吃香菜", {"diet:吃辣": "我不吃辣", "diet:吃香菜": "我不吃香菜"}),
    ],
)
def test_a_sentence_that_states_several_things_leaves_each_by_itself(text: str, parts: dict[str, str]) -> None:
    assert {one.slot: one.text for one in statements(text)} == parts and only_tells(text)


@pytest.mark.parametrize(
    "text",
    [
        "I live in Bath and love it.", "I work at Marks and Spencer.", "We moved to Rome and work at Acme.",
        "我养了一只猫，叫豆豆", "我在一家公司工作，叫阿里巴巴", "我喜欢姚明，是运动员", "我住在成都，很喜欢这里",
        "My wife works at Acme and lives in Rome.",
    ],
)  # fmt: skip
def test_what_goes_on_about_something_else_is_no_statement_of_its_own(text: str) -> None:
    assert [one.text for one in statements(text)] in ([text], [])


@pytest.mark.parametrize(
    ("slot", "texts"),
    [
        ("name", ("What is my name?", "我叫什么？")),
        ("home", ("Which city do I live in?", "Where did I live before?", "我以前住在哪里？", "我家在哪")),
        ("work", ("What is my job?", "Where do I work?", "我在哪上班？")),
        ("diet", ("What can't I eat?", "Recommend a restaurant for tonight", "今晚吃什么好？")),
        ("doing", ("What language am I learning?", "我在学什么？")),
        ("work", ("Do you remember what I do for a living?",)),
        ("age", ("How old am I?", "我今年多大")),
        (
            "",
            (
                "What is 2+2?",
                "Translate: where do I live?",
                "Where is the warehouse?",
                "今天天气怎么样",
                "合同在哪里签的",
            ),
        ),
    ],
)
def test_a_question_names_the_slots_that_answer_it(slot: str, texts: tuple[str, ...]) -> None:
    assert {text: slots_needed(text) for text in texts} == {text: {slot} - {""} for text in texts}
