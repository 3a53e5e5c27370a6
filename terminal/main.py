"""A chat in the terminal: `llmchat "question" --file a.pdf --session s`, or without a question a conversation.

It speaks to a running server over its HTTP API. The answer is streamed as it is written; a dropped connection is
resumed where it broke; Ctrl-C stops the turn on the server, which keeps what was said. Texts follow the locale.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from terminal.client import Client, Failed
from terminal.conversation import Conversation
from terminal.keys import keys
from terminal.screen import Screen
from terminal.texts import SERVER, say


class QuestionFirst(TyperGroup):
    """Commands, where anything that names none is a question."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `ask` before a command line that names no command."""
        if not args or args[0] not in self.commands:
            others = ", ".join(name for name in self.commands if name != "ask")
            self.commands["ask"].epilog = say("commands", names=others) if others else None
            args = ["ask", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=QuestionFirst, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(keys, name="keys")


@app.callback(help=say("about"))
def llmchat() -> None:
    """Chat with a running server."""


@app.command(help=say("ask"))
def ask(  # noqa: PLR0913 - one argument an option
    question: Annotated[str | None, typer.Argument(help=say("question_help"))] = None,
    file: Annotated[list[Path] | None, typer.Option(help=say("file_help"))] = None,
    image: Annotated[list[Path] | None, typer.Option(help=say("image_help"))] = None,
    session: Annotated[str | None, typer.Option(help=say("session_help"))] = None,
    system: Annotated[str | None, typer.Option(help=say("system_help"))] = None,
    server: Annotated[str, typer.Option(envvar="LLMCHAT_SERVER", help=say("server_help"))] = SERVER,
    key: Annotated[str, typer.Option(envvar="LLMCHAT_KEY", show_envvar=True, help=say("key_help"))] = "",
    as_json: Annotated[bool, typer.Option("--json", help=say("json_help"))] = False,
    no_stream: Annotated[bool, typer.Option("--no-stream", help=say("no_stream_help"))] = False,
) -> None:
    """Take one turn, or hold a conversation; exit with 0, 1 after an error, 130 when interrupted."""
    screen = Screen(stream=not no_stream, as_json=as_json)
    files = [("file", path) for path in file or []] + [("image", path) for path in image or []]
    try:
        with tempfile.TemporaryDirectory(prefix="llmchat-") as folder:
            chat = Conversation(Client(server, key), screen, session, system)
            if question is None and not sys.stdin.isatty():
                question = sys.stdin.read().strip()
            elif question is not None and (piped := _piped()):
                path = Path(folder) / "stdin.txt"
                path.write_bytes(piped)
                files.append(("file", path))
            if question is None:
                from terminal.prompt import Prompt  # prompt_toolkit: a third of the start of a single question

                Prompt(chat, files).run()
                return
            ended = chat.ask(question, files)
        if not session and not as_json and sys.stderr.isatty():
            screen.note(say("session", session=chat.session))
        if not ended:
            raise typer.Exit(130)
    except Failed as failed:
        screen.failure(failed)
        raise typer.Exit(1) from failed
    except KeyboardInterrupt as interrupt:
        raise typer.Exit(130) from interrupt


@app.command(help=say("migrate"))
def migrate(to: Annotated[str, typer.Option("--to", metavar="URL", help=say("to_help"))]) -> None:
    """Hand over to the server's own command: the client knows no database."""
    os.execv(sys.executable, [sys.executable, "-m", "server", "migrate", "--to", to])


@app.command(help=say("audit"))
def audit() -> None:
    """Hand over to the server's own command."""
    os.execv(sys.executable, [sys.executable, "-m", "server", "audit"])


@app.command(help=say("rekey"))
def rekey(off: Annotated[bool, typer.Option("--off", help=say("off_help"))] = False) -> None:
    """Hand over to the server's own command."""
    os.execv(sys.executable, [sys.executable, "-m", "server", "rekey", *(["--off"] if off else [])])


def _piped() -> bytes:
    """Return what a pipe or a redirected file brings beside the question."""
    kind = os.fstat(sys.stdin.fileno()).st_mode
    return sys.stdin.buffer.read() if stat.S_ISFIFO(kind) or stat.S_ISREG(kind) else b""


if __name__ == "__main__":
    app()
