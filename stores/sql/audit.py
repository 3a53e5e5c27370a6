"""`llmchat audit`: checks the action log from its first entry to its last, and names the first that is not whole."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from sqlalchemy.exc import DBAPIError

from domain.words import Words
from settings import Settings
from stores.sql.action_chain import Chain
from stores.sql.database import open_engine
from stores.sql.encrypted import driver_errors

WHOLE = Words(
    "The action log is whole: {entries} entries, {first} to {last}.",
    "操作日志完整：共 {entries} 条，{first} 至 {last}。",
)
EMPTY = Words("The action log is empty.", "操作日志为空。")
ALTERED = Words("Entry {id} of the action log is not as it was written.", "操作日志的第 {id} 条与写入时不符。")
MISSING = Words("Entry {id} of the action log is missing.", "操作日志缺少第 {id} 条。")
UNKNOWN_END = Words(
    "There is no record of its end in DATA_DIR (actions.head), so that a cut end is not seen.",
    "DATA_DIR 中没有日志末尾的记录（actions.head），因此无法发现末尾被删。",
)
NO_ANSWER = Words("The database cannot be read.", "无法读取数据库。")


def main(settings: Settings) -> int:
    """Print what the check found; return 0 when the log is whole, 1 when it is not, 2 when it could not be read."""
    language = settings.language
    try:
        chain = Chain(settings.data_dir)
        with open_engine(settings).connect() as db, db.begin():
            verdict = chain.verify(db)
    except driver_errors(DBAPIError, OSError):
        sys.stderr.write(NO_ANSWER.text(language) + "\n")
        return 2
    if verdict.fault is not None:
        words = ALTERED if verdict.fault.kind == "altered" else MISSING
        sys.stderr.write(words.text(language).format(id=verdict.fault.id) + "\n")
        return 1
    told = (WHOLE if verdict.entries else EMPTY).text(language)
    told = told.format(entries=verdict.entries, first=_day(verdict.first), last=_day(verdict.last))
    sys.stdout.write("\n".join([told, *([] if verdict.end_known else [UNKNOWN_END.text(language)])]) + "\n")
    return 0


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(sep=" ", timespec="seconds")
