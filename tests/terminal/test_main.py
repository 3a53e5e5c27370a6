from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from langchain_core.tools import tool
from typer.testing import CliRunner

from domain.errors import RunLost
from domain.words import Words
from settings import Settings
from terminal.main import QuestionFirst
from terminal.prompt import paths
from terminal.screen import Screen, safe
from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, Failure, OpenAIServer, ToolCall
from tools.interface import ToolSpec

ROOT = Path(__file__).resolve().parents[2]
LONG = " ".join(f"word{number}" for number in range(60))


@pytest.fixture(scope="module")
def _model() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


@pytest.fixture
def model(_model: OpenAIServer) -> Iterator[OpenAIServer]:
    _model.reset()
    yield _model
    _model.assert_done()


@pytest.fixture(scope="module")
def server(_model: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("chat"), llm_base_url=_model.base_url, llm_api_key="key", llm_model="stand-in",
        llm_max_retries=0, ocr_engine="off", tts_engine="off", web_search="off", api_keys="right",
        max_file_bytes=500_000, _env_file=None,
    )  # fmt: skip
    with LiveServer(settings) as live:
        yield live


def environment(server_url: str, tmp_path: Path, language: str = "en_GB.UTF-8", key: str = "right") -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {
        **kept, "LANG": language, "LLMCHAT_SERVER": server_url, "LLMCHAT_KEY": key, "PYTHONIOENCODING": "utf-8",
        "XDG_STATE_HOME": str(tmp_path / "state"), "TERM": "xterm", "COLUMNS": "100",
        "PROMPT_TOOLKIT_NO_CPR": "1",
    }  # fmt: skip


def run(
    *arguments: str, env: dict[str, str], stdin: str | None = None, timeout: float = 30
) -> subprocess.CompletedProcess[str]:
    given: dict[str, Any] = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
    return subprocess.run(
        [sys.executable, "-m", "terminal.main", *arguments],
        env=env, capture_output=True, text=True, timeout=timeout, check=False, cwd=ROOT, **given,
    )  # fmt: skip


def plain(output: str) -> str:
    """Return what a terminal shows of it: cursor steps to the right as blanks, no other control sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", re.sub(r"\x08\x1b\[2C|\x1b\[C", " ", output))


class Terminal:
    """The client at a terminal of its own."""

    def __init__(self, *arguments: str, env: dict[str, str]) -> None:
        self.screen = ""
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "terminal.main", *arguments],
            env=env, stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, start_new_session=True,
        )  # fmt: skip
        os.close(slave)

    def type(self, line: str) -> None:
        os.write(self._master, f"{line}\n".encode())

    def until(self, pattern: str, timeout: float = 20) -> str:
        """Read until the screen shows `pattern` anew; return what was read."""
        deadline, fresh = time.monotonic() + timeout, ""
        while not re.search(pattern, plain(fresh)):
            assert time.monotonic() < deadline, f"no {pattern!r} in {fresh!r}"
            if select.select([self._master], [], [], 0.1)[0]:
                try:
                    fresh += os.read(self._master, 65536).decode("utf-8", "replace")
                except OSError:
                    break
        self.screen += fresh
        assert re.search(pattern, plain(fresh)), fresh
        return plain(fresh)

    def end(self) -> int:
        code = self.process.wait(20)
        os.close(self._master)
        return code


class Breaking:
    """A connection to the server that breaks once, after so many tokens."""

    def __init__(self, target: str, after: int) -> None:
        self._target = int(target.rpartition(":")[2])
        self._left: int | None = after
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            far = socket.create_connection(("127.0.0.1", self._target))
            threading.Thread(target=self._pump, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, True), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, down: bool) -> None:
        try:
            while data := source.recv(4096):
                sink.sendall(data)
                if down and self._left is not None:
                    self._left -= data.count(b"event: token")
                    if self._left <= 0:
                        self._left = None
                        break
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self) -> None:
        self._listener.close()


def test_a_question_is_answered(server: LiveServer, model: OpenAIServer, tmp_path: Path) -> None:
    model.script([Answer("Good day.")])
    done = run("Hello", "--session", "one", "--system", "Be brief", env=environment(server.url, tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "Good day.\n", "")
    assert "Be brief" in model.chats[-1].text


def test_a_question_from_a_pipe_as_json(server: LiveServer, model: OpenAIServer, tmp_path: Path) -> None:
    model.script([Answer("你好。")])
    done = run("--json", env=environment(server.url, tmp_path), stdin="早上好\n")
    answer = json.loads(done.stdout)
    assert answer["answer"] == "你好。" and answer["session_id"] and answer["usage"]["model"] == "stand-in"


def test_files_are_sent_read_and_cited(server: LiveServer, model: OpenAIServer, tmp_path: Path) -> None:
    lease, note = tmp_path / "lease \x1b[31m.txt", tmp_path / "说明.txt"
    lease.write_text("The lease runs for five years.", "utf-8")
    note.write_text("押金为两个月租金。", "utf-8")

    def cite(request: Any) -> str:
        numbers = {text: int(re.findall(rf"\[(\d)\] {name}", request.text)[0]) for name, text in
                   (("lease", "runs for five years"), ("说明", "两个月租金"))}  # fmt: skip
        quoted = [f'Yes [{number} "{text}"].' for text, number in numbers.items()]
        return " ".join([*quoted, f'No [{numbers["两个月租金"]} "三个月租金"].'])

    model.script([cite])
    done = run(
        "How long does the lease run? 押金是几个月租金？",
        "--file",
        str(lease),
        "--file",
        str(note),
        env=environment(server.url, tmp_path),
    )
    assert done.returncode == 0, done.stderr
    shown, _, rest = done.stdout.partition("\n\n")
    assert re.fullmatch(r"Yes \[\d\]\. Yes \[\d\]\. No \*\(unsupported\)\*\.", shown.strip())
    assert "No *" not in rest, "it is shown once"
    assert re.search(r"\[\d\] lease \[31m\.txt, p\. 1 — “runs for five years”\n", rest)
    assert re.search(r"\[\d\] 说明\.txt, p\. 1 — “两个月租金”", rest)
    assert "✓ 说明.txt read (1/1 pages)" in done.stderr and "! 1 citation(s) were removed" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_the_whole_answer_at_once_in_chinese(server: LiveServer, model: OpenAIServer, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("The lease runs for five years.", "utf-8")
    model.script([Answer('五年 [1 "five years"]。')])
    env = environment(server.url, tmp_path, "zh_CN.UTF-8")
    done = run("多久？", "--no-stream", "--file", str(file), env=env)
    assert done.stdout.startswith("五年 [1]。\n\n来源:\n  [1] a.txt, 第 1 页 — “five years”")


def test_a_file_that_was_made_can_be_had(server: LiveServer, model: OpenAIServer, tmp_path: Path) -> None:
    task = {"agent": "writer", "task": "A plan", "direct": True}
    plan = {"title": "Plan", "sections": [{"heading": "Aims"}]}
    calls = [ToolCall("delegate", task), ToolCall("write_document", plan)]
    model.script([*(Answer(tool_calls=[call]) for call in calls), Answer("As short as can be.")])
    done = run("Write a plan", env=environment(server.url, tmp_path))
    assert re.search(r"File Plan\.docx: /api/v1/documents/\w+/content\n", done.stdout), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("language", "message", "remedy"),
    [("en_US.UTF-8", "No server answers", "make serve"), ("zh_CN.UTF-8", "没有服务响应", "请用")],
)
def test_no_server(tmp_path: Path, language: str, message: str, remedy: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        done = run("Hello", env=environment(url, tmp_path, language))
    assert done.returncode == 1 and message in done.stderr and remedy in done.stderr and done.stdout == ""


def test_errors_of_the_server_keep_their_remedy(server: LiveServer, model: OpenAIServer, tmp_path: Path) -> None:
    wrong = run("Hello", env=environment(server.url, tmp_path, key="wrong"))
    assert wrong.returncode == 1 and "✗" in wrong.stderr and "→" in wrong.stderr
    asked = run("Hello", "--json", env=environment(server.url, tmp_path, key="wrong"))
    assert json.loads(asked.stdout)["error"]["code"] == "unauthorized"
    model.script([Failure(500)])
    failed = run("Hello", env=environment(server.url, tmp_path))
    assert failed.returncode == 1 and "✗" in failed.stderr and "Traceback" not in failed.stderr


def test_files_that_cannot_be_sent(server: LiveServer, model: OpenAIServer, tmp_path: Path) -> None:
    missing = run("Hello", "--file", str(tmp_path / "no.pdf"), env=environment(server.url, tmp_path))
    assert missing.returncode == 1 and "There is no file" in missing.stderr
    large = tmp_path / "large.txt"
    large.write_bytes(b"a" * 600_000)
    model.script([Answer("I could not read it.")])
    refused = run("Hello", "--file", str(large), env=environment(server.url, tmp_path))
    assert refused.returncode == 0 and "✗ large.txt: " in refused.stderr


def test_another_service_is_told_from_ours(model: OpenAIServer, tmp_path: Path) -> None:
    done = run("Hello", env=environment(model.base_url.removesuffix("/v1"), tmp_path))
    assert done.returncode == 1 and "not as this service does" in done.stderr


def test_an_address_without_a_scheme_and_what_is_no_address(
    server: LiveServer, model: OpenAIServer, tmp_path: Path
) -> None:
    model.script([Answer("Good day.")])
    done = run("Hello", env=environment(server.url.removeprefix("http://"), tmp_path))
    assert (done.returncode, done.stdout) == (0, "Good day.\n"), done.stderr
    for address in ("ftp://127.0.0.1", "http://[::1", "http://127.0.0.1:notaport"):
        wrong = run("Hello", env=environment(address, tmp_path))
        assert wrong.returncode == 1 and "is not the address of a server" in wrong.stderr, address


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    certificate = tmp_path / "self-signed.pem"
    made = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1 -keyout".split()
    subprocess.run([*made, certificate, "-out", tmp_path / "c"], check=True, capture_output=True)
    certificate.write_bytes(certificate.read_bytes() + (tmp_path / "c").read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            near, _ = listener.accept()
            with contextlib.suppress(OSError), context.wrap_socket(near, server_side=True) as secured:
                secured.recv(1)

        threading.Thread(target=greet, daemon=True).start()
        done = run("Hello", env=environment(f"https://127.0.0.1:{listener.getsockname()[1]}", tmp_path))
    assert done.returncode == 1 and "certificate" in done.stderr and "SSL_CERT_FILE" in done.stderr


@pytest.mark.parametrize(
    ("language", "message", "remedy"),
    [("en_US.UTF-8", "only ASCII", "Give a valid key by --key"), ("zh_CN.UTF-8", "只能包含", "请用 --key")],
)
def test_keys_that_cannot_be_or_are_not_right(
    server: LiveServer, model: OpenAIServer, tmp_path: Path, language: str, message: str, remedy: str
) -> None:
    done = run("Hello", env=environment(server.url, tmp_path, language, key="schlüssel"))
    assert done.returncode == 1 and message in done.stderr and remedy in done.stderr
    assert remedy in run("Hello", env=environment(server.url, tmp_path, language, key="wrong")).stderr


def test_a_pipe_beside_a_question_is_a_file(server: LiveServer, model: OpenAIServer, tmp_path: Path) -> None:
    model.script([Answer("Five years.")])
    env = environment(server.url, tmp_path)
    done = run("How long?", env=env, stdin="The lease runs for five years.\n")
    assert done.stdout.startswith("Five years.\n") and "✓ stdin.txt read" in done.stderr
    assert "The lease runs for five years." in model.chats[-1].text


def test_help_is_in_the_language_of_the_locale(tmp_path: Path) -> None:
    english = run("--help", env=environment("http://127.0.0.1:9", tmp_path))
    chinese = run("--help", env=environment("http://127.0.0.1:9", tmp_path, "zh_CN.UTF-8"))
    assert english.returncode == chinese.returncode == 0
    assert "The conversation to continue." in english.stdout and "要继续的会话编号。" in chinese.stdout
    assert not re.search(r"[\u4e00-\u9fff]", english.stdout)


def test_a_command_line_that_names_no_command_is_a_question() -> None:
    commands = typer.Typer(cls=QuestionFirst)

    @commands.command()
    def ask(question: str = typer.Argument("nothing"), json: bool = False) -> None:
        typer.echo(f"asked {question} {json}")

    @commands.command()
    def migrate(to: str) -> None:
        typer.echo(f"migrated {to}")

    lines = ["Who?", "", "--json Who?", "ask migrate", "migrate there", "-- -5"]
    shown = [CliRunner().invoke(commands, line.split()).output.strip() for line in lines]
    assert shown[:3] == ["asked Who? False", "asked nothing False", "asked Who? True"]
    assert shown[3:] == ["asked migrate False", "migrated there", "asked -5 False"]
    assert "Other commands: migrate" in CliRunner().invoke(commands, ["--help"]).output


@pytest.mark.parametrize("name", ["my lease.txt", "it's.txt", 'a "quoted" one.txt', "back\\slash.txt"])
def test_paths_of_a_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x", "utf-8")
    (tmp_path / "other.txt").write_text("x", "utf-8")
    path = tmp_path / name
    assert paths(str(path)) == [path]
    assert paths(f"{shlex.quote(str(path))} {tmp_path / 'other.txt'}") == [path, tmp_path / "other.txt"]
    assert paths("it's missing.txt") == [Path("it's missing.txt")]


def test_a_dropped_stream_is_taken_up_again(server: LiveServer, model: OpenAIServer, tmp_path: Path) -> None:
    model.script([Answer(LONG, pace=0.02)])
    line = Breaking(server.url, after=10)
    done = run("Count", env=environment(line.url, tmp_path))
    line.close()
    assert done.stdout == f"{LONG}\n" and "connection was lost" in done.stderr and line.connections >= 2


def test_an_answer_that_another_process_goes_on_with(
    server: LiveServer, model: OpenAIServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.runs.machine.LONG_SECONDS", 0.01)
    monkeypatch.setattr("api.runs.watch.LOOK_SECONDS", 0.1)
    model.script([Answer(LONG, pace=0.1), Answer("The whole answer.")])
    terminal = Terminal("Count", env=environment(server.url, tmp_path))
    terminal.until("word2")
    (going,) = server.app.state.backend.runner._runs.values()
    going.task.get_loop().call_soon_threadsafe(going.stop, RunLost())  # as a process that lost its place
    shown = terminal.until(r"The whole answer\.")
    assert "another one goes on with the answer" in shown and terminal.end() == 0


def test_interrupting_stops_the_run_and_keeps_what_was_said(
    server: LiveServer, model: OpenAIServer, tmp_path: Path
) -> None:
    model.script([Answer(LONG, pace=0.1)])
    terminal = Terminal("Count", "--session", "cut", env=environment(server.url, tmp_path))
    terminal.until("word2")
    terminal.process.send_signal(signal.SIGINT)
    terminal.until("Stopped; what was said is kept")
    assert terminal.end() == 130
    headers = {"Authorization": "Bearer right"}
    kept = httpx.get(f"{server.url}/api/v1/sessions/cut", headers=headers).json()["messages"][-1]
    assert kept["state"] == "stopped" and kept["text"].startswith("word0 word1")
    assert "word59" not in kept["text"]


def test_a_conversation_at_the_prompt(server: LiveServer, model: OpenAIServer, tmp_path: Path) -> None:
    file = tmp_path / "many pages.txt"
    file.write_text("\f".join(f"Page {number} of the story." for number in range(1, 41)), "utf-8")
    env = environment(server.url, tmp_path)
    model.script([Answer("First answer."), Answer(LONG, pace=0.1), Answer("A story.")])
    terminal = Terminal(env=env)
    terminal.until("> ")
    terminal.type("Hello")
    terminal.until(r"First answer\.[\s\S]*> ")
    terminal.type("Count")
    terminal.until("word3")
    terminal.process.send_signal(signal.SIGINT)
    terminal.until(r"Stopped[\s\S]*> ")
    terminal.type("/stop")
    terminal.until(r"Nothing is running[\s\S]*> ")
    terminal.type(f"/file '{file}'")
    terminal.until(r"Goes with the next message: many pages.txt[\s\S]*> ")
    terminal.type("What is it?")
    shown = terminal.until(r"A story\.[\s\S]*> ")
    assert "sending" in shown and "━" in shown and re.search(r"✓ many pages.txt read \(\d+/\d+ pages\)", shown)
    terminal.type("/sessions")
    listed = terminal.until(r"\* +\d+  Hello[\s\S]*> ")
    assert "(" in listed
    terminal.type("/nonsense")
    terminal.until(r"There is no command /nonsense[\s\S]*> ")
    terminal.type("/clear")
    terminal.until(r"Forgotten: [1-9]\d* items[\s\S]*> ")
    terminal.type("/open 1")
    terminal.until(r"✗ [\s\S]*> |Session: [\s\S]*> ")
    terminal.type("/quit")
    assert terminal.end() == 0
    assert "Count" in (tmp_path / "state" / "llmchat_history").read_text("utf-8")


def test_citations_are_shown_without_their_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(stream=True, as_json=False)
    whole = 'Five [1 "a, [b] c"] 五【2：“年”】, x[0] and [3], [4, 5] or ["k"] end [6'
    shown = "".join(screen.token(letter) for letter in whole) + screen.flush()
    assert shown == 'Five [1] 五[2], x[0] and [3], [4, 5] or ["k"] end [6' == capsys.readouterr().out


def test_nothing_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = {"answer": "a\x9b2J\u202eb", "warnings": ["[red]\x1b[2J"]}
    Screen(stream=False, as_json=True).outcome(hostile, "")
    shown = capsys.readouterr().out
    assert json.loads(shown) == hostile and shown.isascii()
    Screen(stream=False, as_json=False).outcome(hostile, "")
    assert capsys.readouterr() == ("a2Jb\n", "! [red][2J\n")
    assert safe("a\x1b[2Jb\x07\u202ec\td\ne\x9b1m") == "a[2Jbc\td\ne1m"


@pytest.fixture
def notes(server: LiveServer) -> Iterator[list[tuple[str, str]]]:
    """A tool that sends notes, and those that it sent."""
    sent: list[tuple[str, str]] = []

    @tool
    async def send_note(to: str, text: str) -> str:
        """Send a note to a person."""
        sent.append((to, text))
        return "sent"

    tools = server.app.state.backend.services.tools
    tools.set_foreign([ToolSpec(tool=send_note, title=Words("Send a note", "发送便条"), permission="write")], {})
    yield sent
    tools.set_foreign([], {})


def asking(model: OpenAIServer, then: str) -> None:
    call = ToolCall("send_note", {"to": "bob", "text": "I am late"})
    model.script([Answer(tool_calls=[call]), Answer(then)])


def test_a_question_is_edited_and_approved_at_the_prompt(
    server: LiveServer, model: OpenAIServer, notes: list[tuple[str, str]], tmp_path: Path
) -> None:
    asking(model, "It is sent.")
    terminal = Terminal(env=environment(server.url, tmp_path))
    terminal.until("lists the commands")
    terminal.type("Tell Bob that I am late")
    shown = terminal.until(r"\[r\] refuse: ")
    assert "May this be done? Send a note" in shown and "text: I am late  (your words)" in shown
    terminal.type("e")
    terminal.until(r"to \[bob\]: ")
    terminal.type("")
    terminal.until(r"text \[I am late\]: ")
    terminal.type("Ten minutes late")
    terminal.until(r"\[r\] refuse: ")
    terminal.type("a")
    terminal.until("It is sent.")
    terminal.type("/quit")
    assert terminal.end() == 0 and notes == [("bob", "Ten minutes late")]


def test_without_a_person_a_turn_waits_and_is_refused_later(
    server: LiveServer, model: OpenAIServer, notes: list[tuple[str, str]], tmp_path: Path
) -> None:
    asking(model, "好的，没有发送。")
    env = environment(server.url, tmp_path, "zh_CN.UTF-8")
    asked = run("告诉 Bob 我迟到了", "--session", "later", env=env)
    assert asked.returncode == 0 and "发送便条" in asked.stdout and "请只回复“同意”或“拒绝”" in asked.stdout
    terminal = Terminal(env=env)
    terminal.until("列出命令")
    terminal.type("/open later")
    terminal.until("拒绝：")
    terminal.type("r")
    terminal.until("原因")
    terminal.type("他知道了")
    terminal.until("好的，没有发送。")
    terminal.type("/quit")
    assert terminal.end() == 0 and not notes
    assert "他知道了" in str(model.chats[-1].body["messages"][-1]["content"])
