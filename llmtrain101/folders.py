"""Where the course keeps what it made, and how a file is replaced without a moment of damage."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_folder() -> Path:
    """The folder for results that can be made again; deleting it loses time, never work.

    `LLMTRAIN101_CACHE` names another place, for example a disk that is not backed up.
    """
    if chosen := os.environ.get("LLMTRAIN101_CACHE"):
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "llmtrain101"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write to the path that this yields; the old file is replaced only once the new one is whole.

    A full disk, an exception or a power cut leaves the old file as it was.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder) / "note.txt"
    ...     with replacing(target) as part:
    ...         _ = part.write_text("whole", encoding="utf-8")
    ...     target.read_text(encoding="utf-8")
    'whole'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())  # else a power cut can leave the new name on empty content
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
