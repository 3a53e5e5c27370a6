"""`llmchat migrate --to URL`: moves the rows of this installation to another database, and says what moved."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from domain.words import Words
from settings import Settings
from stores.sql.database import engine_for, open_engine
from stores.sql.encrypted import driver_errors
from stores.sql.transfer import Differs, NotEmpty, move
from stores.sql.upgrade import NotUtf8

PURPOSE = Words(
    "Move the documents of this installation to another database. Stop the server first; files and vectors stay.",
    "将本机的文档数据迁移到另一个数据库。请先停止服务；文件和向量保留在原处。",
)
TARGET = Words(
    "the database to move to: postgresql://user:password@host/name", "目标数据库：postgresql://用户:密码@主机/库名"
)
MOVED = Words(
    "Moved; every table was read back and compared. Set DATABASE_URL to the new database and start the server.",
    "迁移完成，各表均已读回核对，内容一致。请将 DATABASE_URL 设为新数据库，再启动服务。",
)
NOT_EMPTY = Words(
    "The target holds rows already (table {}). Nothing was changed; name an empty database.",
    "目标数据库中已有数据（表 {}）。未作任何改动，请指定一个空数据库。",
)
DIFFERS = Words(
    "Table {} came out other than it went in. Nothing was kept in the target.",
    "表 {} 读回后与原数据不一致，目标数据库未保留任何数据。",
)
NO_ANSWER = Words(
    "A database does not answer. Nothing was changed; is its address right, and the server stopped?",
    "数据库没有响应，未作任何改动。请检查地址是否正确、服务是否已停止。",
)
REFUSED = Words("A database refused. Nothing was changed. It says:", "数据库拒绝了操作，未作任何改动。数据库的说明：")
NOT_UTF8 = Words(
    "The database keeps text as {}. Nothing was changed; create one with ENCODING 'UTF8'.",
    "该数据库的文本编码是 {}。未作任何改动，请用 ENCODING 'UTF8' 另建一个。",
)
NO_URL = Words(
    "This is not the address of a PostgreSQL or SQLite database.", "这不是 PostgreSQL 或 SQLite 数据库的地址。"
)
ROW = Words("{table:16} {rows:>9} rows  {sha256:.12}", "{table:16} {rows:>9} 行  {sha256:.12}")


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Move the rows; return 0, or 1 when nothing was moved."""
    language = settings.language
    parser = argparse.ArgumentParser(prog="llmchat migrate", description=PURPOSE.text(language))
    parser.add_argument("--to", required=True, metavar="URL", help=TARGET.text(language))
    given = parser.parse_args(arguments)
    try:
        target = engine_for(make_url(given.to), settings.keyring)
    except (ArgumentError, ValueError):
        return _refuse(NO_URL.text(language))
    try:
        moved = move(open_engine(settings), target)
    except (NotEmpty, Differs) as exc:
        return _refuse((NOT_EMPTY if isinstance(exc, NotEmpty) else DIFFERS).text(language).format(exc))
    except NotUtf8 as exc:
        return _refuse(NOT_UTF8.text(language).format(exc.encoding))
    except driver_errors(OperationalError):
        return _refuse(NO_ANSWER.text(language))
    except DBAPIError as exc:
        return _refuse(f"{REFUSED.text(language)}\n{str(exc.orig).splitlines()[0]}")
    lines = [
        ROW.text(language).format(table=table, rows=held.rows, sha256=held.sha256) for table, held in moved.items()
    ]
    sys.stdout.write("\n".join([*lines, MOVED.text(language)]) + "\n")
    return 0


def _refuse(why: str) -> int:
    sys.stderr.write(why + "\n")
    return 1
