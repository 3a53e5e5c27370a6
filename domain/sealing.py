"""Encryption of what lies on the disk: the keys of ENCRYPTION_KEY, values and files under them.

Everything is AES-256-GCM under keys that HKDF-SHA256 derives from those of ENCRYPTION_KEY. A file is cut into blocks,
each with its number and whether it is the last under its seal, so that none can be left out, moved or cut off, and a
file of any size is read block by block. What is sealed names its key, so that several may be in use while one replaces
another.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

VALUE_MARK: Final = b"\x00sealed1"
FILE_MARK: Final = b"llmsealed\x00v1\r\n\x1a\n"
KEY_ID_BYTES, SALT_BYTES, NONCE_BYTES, TAG_BYTES = 8, 16, 12, 16
BLOCK_BYTES: Final = 64 * 1024
HEAD_BYTES: Final = len(FILE_MARK) + KEY_ID_BYTES + SALT_BYTES
LEAST_CHARACTERS: Final = 32


class WrongKey(ValueError):
    """What is sealed is under none of the keys, or was changed."""


class _Key(NamedTuple):
    id: bytes
    files: bytes
    values: bytes
    database: bytes


@dataclass(frozen=True, slots=True)
class SealedFile:
    """An encrypted file with the key to it alone, which may be given to a process that may read this one file."""

    path: Path
    key: bytes

    def blocks(self) -> Iterator[bytes]:
        """Yield what the file holds.

        Raises:
            WrongKey: It is not whole.
        """
        cipher = _cipher(self.key)
        with self.path.open("rb") as file:
            file.seek(HEAD_BYTES)
            sealed, number = file.read(BLOCK_BYTES + TAG_BYTES), 0
            while True:
                following = file.read(BLOCK_BYTES + TAG_BYTES)
                yield _opened(cipher, _nonce(number, last=not following), sealed, None)
                if not following:
                    return
                sealed, number = following, number + 1

    def read(self) -> bytes:
        """Return what the file holds.

        Raises:
            WrongKey: It is not whole.
        """
        return b"".join(self.blocks())


Stored = Path | SealedFile
"""A file as it is kept: plain, or encrypted."""


def absolute(stored: Stored) -> Stored:
    """Return a stored file by its whole path."""
    return SealedFile(stored.path.resolve(), stored.key) if isinstance(stored, SealedFile) else stored.resolve()


def contents_of(stored: Stored) -> bytes:
    """Return what a stored file holds.

    Raises:
        OSError: It cannot be read.
        WrongKey: It is not whole.
    """
    return stored.read() if isinstance(stored, SealedFile) else stored.read_bytes()


class FileSealer:
    """Writes an encrypted file, piece by piece; `close` writes its last block."""

    def __init__(self, file: BinaryIO, head: bytes, key: bytes) -> None:
        """Write the head; `file` is closed by its owner."""
        self._file, self._cipher = file, _cipher(key)
        self._held, self._number = bytearray(), 0
        file.write(head)

    def write(self, data: bytes) -> None:
        """Add to the file."""
        self._held += data
        while len(self._held) > BLOCK_BYTES:
            self._put(bytes(self._held[:BLOCK_BYTES]), last=False)
            del self._held[:BLOCK_BYTES]

    def close(self) -> None:
        """Write what is left."""
        self._put(bytes(self._held), last=True)
        self._held.clear()

    def _put(self, block: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last=last), block, None))
        self._number += 1


class Keyring:
    """The keys of an installation, newest first; without any, nothing is encrypted."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        self._keys = [_derived(secret) for secret in secrets]

    def __bool__(self) -> bool:
        return bool(self._keys)

    @property
    def newest(self) -> str:
        """Id of the key that is used for what is new; empty without one."""
        return self._keys[0].id.hex() if self._keys else ""

    @property
    def ids(self) -> list[str]:
        """Ids of all keys, newest first."""
        return [key.id.hex() for key in self._keys]

    @property
    def of_database(self) -> list[bytes]:
        """Keys for the database (32 bytes each), newest first."""
        return [key.database for key in self._keys]

    def seal(self, value: bytes) -> bytes:
        """Return a value encrypted with the newest key; as it is without keys."""
        if not self._keys:
            return value
        key, nonce = self._keys[0], os.urandom(NONCE_BYTES)
        return b"".join((VALUE_MARK, key.id, nonce, _cipher(key.values).encrypt(nonce, value, VALUE_MARK)))

    def unseal(self, value: bytes) -> bytes:
        """Return what `seal` was given.

        Raises:
            WrongKey: It is under another key, or was changed.
        """
        if not (self._keys and value.startswith(VALUE_MARK)):
            return value
        key_id, rest = _parted(value[len(VALUE_MARK) :], KEY_ID_BYTES)
        nonce, sealed = _parted(rest, NONCE_BYTES)
        return _opened(_cipher(self._key(key_id).values), nonce, sealed, VALUE_MARK)

    def file(self, path: Path) -> Stored:
        """Return a stored file with what is needed to read it.

        Raises:
            OSError: It cannot be read.
            WrongKey: It is under another key.
        """
        if not self._keys:
            return path
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if not head.startswith(FILE_MARK):
            return path
        key_id, salt = _parted(head[len(FILE_MARK) :], KEY_ID_BYTES)
        return SealedFile(path, _expanded(self._key(key_id).files, salt))

    def new_file(self) -> tuple[bytes, bytes]:
        """Return head and key of a new encrypted file, for a `FileSealer`; needs a key."""
        key, salt = self._keys[0], os.urandom(SALT_BYTES)
        return FILE_MARK + key.id + salt, _expanded(key.files, salt)

    def key_for(self, name: str) -> bytes:
        """Return a key of 32 bytes for what has this name, under the newest key; needs a key."""
        return _expanded(self._keys[0].files, name.encode(), b"name")

    def is_current(self, path: Path) -> bool:
        """Tell whether a file is as a new one would be: under the newest key, or plain without one."""
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if not self._keys:
            return not head.startswith(FILE_MARK)
        return head.startswith(FILE_MARK + self._keys[0].id)

    def _key(self, key_id: bytes) -> _Key:
        for key in self._keys:
            if key.id == key_id:
                return key
        raise WrongKey(key_id.hex())


@lru_cache(maxsize=16)
def keyring_of(secrets: tuple[str, ...]) -> Keyring:
    """Return the keyring of these secrets, newest first."""
    return Keyring(secrets)


def _derived(secret: str) -> _Key:
    material = secret.encode()
    files, values, database = (_expanded(material, b"", use) for use in (b"files", b"values", b"database"))
    return _Key(_expanded(material, b"", b"id")[:KEY_ID_BYTES], files, values, database)


def _expanded(material: bytes, salt: bytes, use: bytes = b"file") -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), 32, salt=salt or None, info=b"llm-chat-backend " + use).derive(material)


@lru_cache(maxsize=64)
def _cipher(key: bytes):  # type: ignore[no-untyped-def]  # AESGCM, which is loaded only where something is encrypted
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _opened(cipher, nonce: bytes, sealed: bytes, beside: bytes | None) -> bytes:  # type: ignore[no-untyped-def]
    from cryptography.exceptions import InvalidTag

    try:
        opened: bytes = cipher.decrypt(nonce, sealed, beside)
    except InvalidTag as exc:
        raise WrongKey("damaged") from exc
    return opened


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(NONCE_BYTES - 1, "big") + bytes([last])


def _parted(data: bytes, at: int) -> tuple[bytes, bytes]:
    return data[:at], data[at:]
