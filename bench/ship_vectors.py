"""Writes the vectors that come with the bundled embedder (models/embeddings/shipped.npz).

    python -m bench.ship_vectors

They are of all that a fresh server embeds before anybody asks anything, or with the first memory and the first source
of tools. To be run after a change of everyday requests, examples, or what a tool says of itself; what is not there is
embedded on the first start. Printed: lines, bytes, and the seconds of a core that a first start is spared.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from unittest import mock

from starlette.testclient import TestClient

from models.embeddings.bundled import BundledEmbedder
from models.embeddings.interface import Role, Vectors
from models.embeddings.shipped import FILE, ship, shipped
from models.embeddings.typical_requests import TYPICAL
from server import create_app
from settings import Settings
from stores.sql.text_vectors import Line
from tools.registry import built_in
from tools.selection import lines_of

QUIET_SECONDS = 5
SAID = "Here I am."


def main() -> None:
    """Start a server in an empty folder, say hello, and keep what it embeds beside that."""
    shipped().clear()
    made: dict[tuple[Role, str], Vectors] = {}
    seconds, last = 0.0, 0.0
    compute = BundledEmbedder.computed

    def record(embedder: BundledEmbedder, role: Role, text: str) -> Vectors:
        nonlocal last, seconds
        began = time.thread_time()
        made[role, text] = compute(embedder, role, text)
        seconds += time.thread_time() - began
        last = time.monotonic()
        return made[role, text]

    with mock.patch.object(BundledEmbedder, "computed", record), tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(data_dir=Path(folder) / "data", web_search="off", _env_file=None))
        with TestClient(app, base_url="http://127.0.0.1") as client:
            client.post("/api/v1/chat", json={"message": SAID}).raise_for_status()
            while time.monotonic() - last < QUIET_SECONDS:
                time.sleep(0.5)
        made.pop(("query", SAID), None)
        embedder = BundledEmbedder()
        later: list[Line] = [("query", text) for texts in TYPICAL.values() for text in texts]
        for line in [*later, *(line for spec in built_in() for line in lines_of(spec))]:
            if line not in made:
                record(embedder, *line)
    ship(dict(sorted(made.items())))
    print(f"{len(made)} lines, {FILE.stat().st_size} bytes, {seconds:.1f} s of a core")


if __name__ == "__main__":
    main()
