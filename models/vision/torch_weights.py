"""Reads tensors from a PyTorch weight file with numpy alone, without running any code from it."""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.float32]]

_DTYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


class _Tensor(NamedTuple):
    storage: tuple[str, str]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Unpickler(pickle.Unpickler):
    """Knows dictionaries and tensors; anything else is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: _Tensor(storage, offset, shape, strides)
        if module == "torch" and name in _DTYPES:
            return name
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed in a weight file")

    def persistent_load(self, pid: Any) -> tuple[str, str]:
        """Return (kind, key) of a storage, for `("storage", kind, key, device, size)`."""
        return pid[1], pid[2]


def read_weights(path: Path) -> Arrays:
    """Return the tensors of a `.pth` file in the older format (a run of pickles, then the raw storages).

    Raises:
        pickle.UnpicklingError: The file names a type that is no dictionary or tensor, or is not such a file.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        for _header in range(3):
            _Unpickler(file).load()
        tensors: dict[str, _Tensor] = _Unpickler(file).load()
        keys: list[str] = _Unpickler(file).load()
        kinds = {tensor.storage[1]: tensor.storage[0] for tensor in tensors.values()}
        storages = {key: _read_storage(file, kinds[key]) for key in keys}
    return {name: _as_array(tensor, storages[tensor.storage[1]]) for name, tensor in tensors.items()}


def _read_storage(file: BinaryIO, kind: str) -> NDArray[Any]:
    (count,) = struct.unpack("<q", file.read(8))
    dtype = np.dtype(_DTYPES[kind])
    return np.frombuffer(file.read(count * dtype.itemsize), dtype)


def _as_array(tensor: _Tensor, storage: NDArray[Any]) -> NDArray[Any]:
    strides = [stride * storage.itemsize for stride in tensor.strides]
    needed = tensor.offset + 1 + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.strides, strict=True))
    if tensor.offset < 0 or needed > len(storage) or min((*tensor.strides, 0)) < 0:
        raise pickle.UnpicklingError("a tensor reaches beyond its storage")
    return np.ascontiguousarray(np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, strides))
