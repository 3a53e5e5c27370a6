"""A TCP proxy that keeps every byte that goes out through it, whatever the protocol.

with RecordingProxy("127.0.0.1:9000") as proxy:
    ...  # a client of http://{proxy.address}
    proxy.sent
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self


class RecordingProxy:
    """Passes bytes on to a loopback address.

    Attributes:
        address: Where it listens, as `host:port`.
        sent: All that clients have sent so far.
    """

    def __init__(self, target: str) -> None:
        """Nothing listens yet."""
        host, _, port = target.rpartition(":")
        self._target = host, int(port)
        self.address, self.sent = "", bytearray()

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept()[0],), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._target) as there:
            back = threading.Thread(target=self._pass, args=(there, client, None), daemon=True)
            back.start()
            self._pass(client, there, self.sent)
            back.join()

    @staticmethod
    def _pass(source: socket.socket, to: socket.socket, kept: bytearray | None) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if kept is not None:
                    kept += data
                to.sendall(data)
            to.shutdown(socket.SHUT_WR)
