"""An OpenAI-compatible endpoint in a process of its own, so that it takes no time from the client that measures.

python -m bench.model_process [SECONDS TEXT]      (prints its address; ends with its standard input)
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.standins.openai_server import Answer, OpenAIServer


@contextmanager
def model_process(wait: float, text: str) -> Iterator[str]:
    """Yield the address of an endpoint that says `text`, `wait` seconds after it was asked."""
    command = [sys.executable, "-m", "bench.model_process", str(wait), text]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def main() -> None:
    """Serve until standard input ends."""
    wait, text = float(sys.argv[1]), sys.argv[2]
    with OpenAIServer() as model:
        model.respond = lambda _: Answer(text, wait=wait)
        print(model.base_url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
