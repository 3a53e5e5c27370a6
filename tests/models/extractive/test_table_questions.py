from __future__ import annotations

import pytest

from models.chat.extractive.table_questions import sql_of

Columns = dict[str, list[str] | None]
SALES: Columns = {"region": ["East", "West"], "quarter": ["Q2", "Q3"], "sales": None}
STAFF: Columns = {"姓名": [], "部门": ["销售部", "研发部"], "工资": None, "年份": None}
TOTAL = 'sum("sales") AS "sales" FROM t1'
ASKED: list[tuple[str, Columns, str | None]] = [
    (
        "Which region sold most in Q3?",
        SALES,
        f'SELECT "region", {TOTAL} WHERE "quarter" = \'Q3\' GROUP BY 1 ORDER BY 2 DESC LIMIT 1',
    ),
    ("What are the total sales of the West?", SALES, f"SELECT {TOTAL} WHERE \"region\" = 'West'"),
    ("How many sales were made in the East?", SALES, f"SELECT {TOTAL} WHERE \"region\" = 'East'"),
    ("Draw a chart of the sales by region", SALES, f'SELECT "region", {TOTAL} GROUP BY 1 ORDER BY 2 DESC'),
    (
        "哪个部门的平均工资最高？",
        STAFF,
        'SELECT "部门", avg("工资") AS "工资" FROM t1 GROUP BY 1 ORDER BY 2 DESC LIMIT 1',
    ),
    ("研发部的工资总额是多少？", STAFF, 'SELECT sum("工资") AS "工资" FROM t1 WHERE "部门" = \'研发部\''),
    ("研发部有多少人？", STAFF, "SELECT count(*) FROM t1 WHERE \"部门\" = '研发部'"),
    ("研发部最低的工资是多少？", STAFF, 'SELECT min("工资") AS "工资" FROM t1 WHERE "部门" = \'研发部\''),
    ("Which colour is best?", {"item": [], "weight": None, "price": None}, None),
    ("How many are there?", SALES, None),
    ("What is the average margin of each customer?", SALES, None),
    ("How much did the West sell in all?", SALES, f"SELECT {TOTAL} WHERE \"region\" = 'West'"),
    ("客户的平均利润是多少？", STAFF, None),
    ("哪个部门最高？", STAFF, 'SELECT "部门", sum("工资") AS "工资" FROM t1 GROUP BY 1 ORDER BY 2 DESC LIMIT 1'),
]


@pytest.mark.parametrize(("question", "columns", "sql"), ASKED)
def test_words_of_the_question_choose_columns_and_rows(question: str, columns: Columns, sql: str | None) -> None:
    assert sql_of(question, columns) == sql


def test_names_and_values_stay_inside_their_quotes() -> None:
    columns: Columns = {'a"b': ["O'Neil"], "sum": None}
    assert (
        sql_of("What is the sum of O'Neil?", columns)
        == 'SELECT sum("sum") AS "sum" FROM t1 WHERE "a""b" = \'O\'\'Neil\''
    )


@pytest.mark.parametrize(
    ("question", "counted"),
    [
        ("How many rows are there?", True), ("How many products are in the list?", True),
        ("How many customers are in the file?", True), ("How many people are in the table?", True),
        ("表里一共有几种茶？", True), ("表中共有多少人？", True), ("有多少条记录？", True), ("名单上有几个人？", True),
        ("How many padlocks are left?", False), ("How many rows of seats are in the hall?", False),
        ("铁观音有几种？", False), ("How many people live in Leeds?", False), ("这个城市有多少人？", False),
    ],
)  # fmt: skip
def test_rows_are_counted_whatever_their_columns(question: str, counted: bool) -> None:
    assert sql_of(question, {}) == ("SELECT count(*) FROM t1" if counted else None)
