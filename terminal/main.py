"""A chat in the terminal: `llmchat "question" --file a.pdf --session s`, or without a question a conversation.

It speaks to a running server over its HTTP API. The answer is streamed as it is written; a dropped connection is taken
up again where it broke; Ctrl-C stops the turn on the server, which keeps what was said. Texts follow the locale.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from terminal.api import Api, Failed
from terminal.conversation import Conversation
from terminal.prompt import Prompt, remember_lines
from terminal.screen import Screen
from terminal.texts import say

SERVER = "http://127.0.0.1:8000"


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(
        prog="llmchat", description="Chat with a running LLM Chat Backend. 与正在运行的服务对话。"
    )
    made.add_argument("question", nargs="?", help="what to ask; without it: a conversation 问题；省略则进入对话")
    made.add_argument("--file", action="append", default=[], type=Path, help="a document to send (repeatable) 文档")
    made.add_argument("--image", action="append", default=[], type=Path, help="a picture to send (repeatable) 图片")
    made.add_argument("--session", help="conversation to go on with 会话编号")
    made.add_argument("--system", help="role or instructions for the assistant 系统提示")
    made.add_argument("--server", default=os.environ.get("LLMCHAT_SERVER", SERVER), help="default: %(default)s")
    made.add_argument("--key", default=os.environ.get("LLMCHAT_KEY", ""), help="API key; or LLMCHAT_KEY 密钥")
    made.add_argument("--json", action="store_true", help="print the whole answer as JSON 输出 JSON")
    made.add_argument("--no-stream", action="store_true", help="print the answer when it is complete 完成后再输出")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the client; return 0, 1 after an error, 130 when it was interrupted."""
    given = parser().parse_args(arguments)
    screen = Screen(stream=not given.no_stream, as_json=given.json)
    chat = Conversation(Api(given.server, given.key), screen, given.session, given.system)
    files = [("file", path) for path in given.file] + [("image", path) for path in given.image]
    question = given.question
    if question is None and not sys.stdin.isatty():
        question = sys.stdin.read().strip()
    try:
        if question is None:
            remember_lines()
            Prompt(chat).run(files)
            return 0
        ended = chat.ask(question, files)
        if not given.session and not given.json and sys.stderr.isatty():
            screen.note(say("session", session=chat.session))
        return 0 if ended else 130
    except Failed as failed:
        screen.failure(failed)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
