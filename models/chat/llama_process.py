"""llama.cpp's server (the xllamacpp wheel) as a process of its own: `python -m models.chat.llama_process`.

Its first line of standard input is a JSON object with the fields of `Options`; it answers with one line, `ready` or
`failed`, and serves llama.cpp's HTTP API on a socket that only this user can open, until its standard input ends. So it
never outlives the process that started it, however that one ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from pathlib import Path

from typing_extensions import TypedDict

NICENESS = 5
"""Generating gives way to the server, which answers others meanwhile."""


class Options(TypedDict):
    """What a model is served with."""

    model: str
    """Path of the GGUF file."""
    socket: str
    """Path of the socket, which ends in `.sock`; its folder is removed at the end."""
    threads: int
    context_tokens: int


def main() -> None:
    """Serve until standard input ends."""
    options: Options = json.loads(sys.stdin.readline())
    os.nice(NICENESS)
    try:
        server = _serve(options)  # noqa: F841  # serves as long as it is held
    except (ImportError, RuntimeError):
        _say("failed")
    else:
        _say("ready")
        with contextlib.suppress(KeyboardInterrupt):
            sys.stdin.read()
    shutil.rmtree(Path(options["socket"]).parent, ignore_errors=True)
    os._exit(0)  # llama.cpp's threads would finish what they generate first


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def _serve(options: Options) -> object:
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = options["model"]
    parameters.n_ctx = options["context_tokens"]
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = options["threads"]
    parameters.cpuparams_batch.n_threads = options["threads"]
    parameters.use_jinja = True
    parameters.warmup = False
    parameters.verbosity = -1
    parameters.hostnames = [options["socket"]]
    parameters.ui = False
    return xllamacpp.Server(parameters)


if __name__ == "__main__":
    main()
