"""Files of tensors and of JSON, read with limits: safetensors only, because a pickle can run code.

What a file says of itself is checked before memory is taken for it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

FLOATS = frozenset({"F32", "F16", "BF16"})
NUMBERS = FLOATS | {"F64", "I64", "I32", "U8", "BOOL"}

_LARGEST = 1 << 24  # 16 MiB, for JSON and for the header of a tensor file: some 100,000 tensors
_FULL = (errno.ENOSPC, *([errno.EDQUOT] if hasattr(errno, "EDQUOT") else []))


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors that share no memory; the same tensors give the same bytes.

    Raises
    ------
    OSError
        If they cannot be written, for example because the disk is full.

    See Also
    --------
    read_tensors : has an example.
    """
    own = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        # one entry of metadata: with two, their order, and so the bytes, would vary
        save_file(own, path, metadata={"format": "pt"})
    except SafetensorError as error:  # it hides the number of the system's error in its text
        code = next((c for c in _FULL if f"os error {c}" in str(error)), errno.EIO)
        raise OSError(code, str(error)) from None
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file; a damaged one is a ValueError. Call `header` first.

    Examples
    --------
    >>> import tempfile, torch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_tensors(Path(folder) / "a.safetensors", {"one": torch.ones(2)})
    ...     header(Path(folder) / "a.safetensors", FLOATS)
    ...     read_tensors(Path(folder) / "a.safetensors")
    {'one': (2,)}
    {'one': tensor([1., 1.])}
    """
    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged: {error}") from None


def header(path: Path, allowed: frozenset[str]) -> dict[str, tuple[int, ...]]:
    """Name and shape of each tensor in a file, before any of them is read.

    Raises
    ------
    ValueError
        If the file is cut off or damaged, or holds types of number that are not `allowed`.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(size - 8, _LARGEST):
            raise ValueError(
                f"{path} is damaged: its header would be {length:,} bytes, the file has {size:,}."
            )
        try:
            entries = json.loads(file.read(length))
            entries.pop("__metadata__", None)
            ends = [entry["data_offsets"][1] for entry in entries.values()]
            found = {name: tuple(entry["shape"]) for name, entry in entries.items()}
            types = {str(entry["dtype"]) for entry in entries.values()}
        except (
            ValueError,
            TypeError,
            KeyError,
            IndexError,
            AttributeError,
            RecursionError,
        ) as error:
            raise ValueError(f"{path} is damaged: its header cannot be read ({error}).") from None
    if max(ends, default=0) != size - 8 - length:
        raise ValueError(
            f"{path} is damaged: it should have {8 + length + max(ends, default=0):,} bytes, and "
            f"has {size:,}."
        )
    if types - allowed:
        raise ValueError(
            f"{path} holds numbers of type {', '.join(sorted(types - allowed))}; llmtrain101 reads "
            f"{', '.join(sorted(allowed))}."
        )
    return found


@contextmanager
def space_for(what: Path, size: int) -> Iterator[None]:
    """Say in one sentence that the disk is full, and that nothing old was lost.

    Parameters
    ----------
    what : path
        What is being saved.
    size : int
        About how many bytes it takes.

    Examples
    --------
    >>> with space_for(Path("model"), 2_000_000):
    ...     raise OSError(errno.ENOSPC, "No space left on device")
    Traceback (most recent call last):
    OSError: [Errno 28] The disk is full: saving model takes about 2.0 MB. What was saved \
before is whole; free some space and go on from there.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise OSError(
            error.errno,
            f"The disk is full: saving {what} takes about {size / 1e6:.1f} MB. What was saved "
            "before is whole; free some space and go on from there.",
        ) from None


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of at most 16 MiB; a damaged one is a ValueError.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a.json").write_text('{"seed": 3}', encoding="utf-8")
    ...     read_json(Path(folder) / "a.json")
    {'seed': 3}
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path.parent} has no {path.name}: is it the folder of a model?")
    if path.stat().st_size > _LARGEST:
        raise ValueError(f"{path} is larger than {_LARGEST >> 20} MiB, so it is not read.")
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: {error}") from None


def sha256(path: Path) -> str:
    """The fingerprint of a file, in hexadecimal.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "empty").write_bytes(b"")
    ...     sha256(Path(folder) / "empty")[:8]
    'e3b0c442'
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
