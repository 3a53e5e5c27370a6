"""What is encrypted comes back whole or not at all: no part is left out, moved, cut off or read with another key."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.sealing import BLOCK_BYTES, HEAD_BYTES, TAG_BYTES, FileSealer, Keyring, SealedFile, WrongKey, contents_of
from workers.memory_file import readable

OLD, NEW = "o" * 32, "n" * 32


def sealed(path: Path, data: bytes, keyring: Keyring, piece: int = 50_000) -> Path:
    with path.open("wb") as file:
        sealer = FileSealer(file, *keyring.new_file())
        for start in range(0, len(data), piece):
            sealer.write(data[start : start + piece])
        sealer.close()
    return path


@pytest.mark.parametrize("size", [0, 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES])
def test_a_file_of_any_size_comes_back(tmp_path: Path, size: int) -> None:
    data = bytes(number % 251 for number in range(size))
    path = sealed(tmp_path / "file", data, Keyring([OLD]))
    stored = Keyring([NEW, OLD]).file(path)
    assert isinstance(stored, SealedFile) and contents_of(stored) == data
    assert size < 100 or data[:100] not in path.read_bytes()
    with readable(stored) as clear:
        assert clear.read_bytes() == data and clear.stat().st_size == size
    assert not clear.exists()


def test_a_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    keyring, block = Keyring([OLD]), BLOCK_BYTES + TAG_BYTES
    whole = sealed(tmp_path / "file", bytes(3 * BLOCK_BYTES), keyring).read_bytes()
    head, blocks = whole[:HEAD_BYTES], [whole[HEAD_BYTES + at * block :][:block] for at in range(3)]
    for parts in (blocks[:2], blocks[1:], [blocks[1], blocks[0], blocks[2]], [*blocks, blocks[2]], []):
        path = tmp_path / "other"
        path.write_bytes(head + b"".join(parts))
        with pytest.raises(WrongKey):
            contents_of(keyring.file(path))
    with pytest.raises(WrongKey):
        Keyring([NEW]).file(tmp_path / "file")


def test_values_and_their_keys() -> None:
    old, both = Keyring([OLD]), Keyring([NEW, OLD])
    value = old.seal("翡翠".encode())
    assert both.unseal(value) == old.unseal(value) == "翡翠".encode()
    assert value != old.seal("翡翠".encode()), "equal values do not look equal"
    for other in (value[:-1] + bytes([value[-1] ^ 1]), both.seal(b"new")):
        with pytest.raises(WrongKey):
            old.unseal(other)
    assert Keyring().seal(b"plain") == b"plain" and Keyring().unseal(value) == value
    assert not Keyring() and Keyring().newest == "" and both.ids == [both.newest, old.newest]
