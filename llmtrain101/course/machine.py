"""Is this machine fit for the course? One row for each thing that matters, and what to do."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

_REFERENCE_GFLOPS = 200.0  # of the 2 cores on which the lessons' times were taken


@dataclass(frozen=True)
class Row:
    """One thing that was looked at."""

    name: str
    state: Literal["ok", "warning", "problem"]
    found: str
    advice: str = ""


def machine_report(folder: Path | None = None) -> list[Row]:
    """Look at this machine; it takes some seconds, most of them to import PyTorch.

    Parameters
    ----------
    folder : Path, optional
        Where the learner's files are to lie; by default the current folder.

    Examples
    --------
    >>> for row in machine_report():                                      # doctest: +SKIP
    ...     print(row.state, row.name, row.found, row.advice)
    """
    folder = folder or Path.cwd()
    rows = [_python(), Row("System", "ok", f"{platform.system()} on {platform.machine()}")]
    rows += [_cores(), _memory(), _disk(folder), _writable(folder), _jupyter()]
    return [*rows, *_torch()]


def speed(seconds: float = 1.0) -> float:
    """Floating-point work of large float32 matrix products, in GFLOP/s, with all threads."""
    import torch

    size = 1024
    left, right = torch.ones(size, size), torch.ones(size, size)
    left @ right  # the first product also sets up the threads
    count, begin = 0, time.perf_counter()
    while (passed := time.perf_counter() - begin) < seconds:
        left @ right
        count += 1
    return 2 * size**3 * count / passed / 1e9


def _python() -> Row:
    found = platform.python_version()
    if (3, 11) <= sys.version_info[:2] <= (3, 14):
        return Row("Python", "ok", found)
    return Row("Python", "problem", found, "The course is tested with Python 3.11 to 3.14.")


def _cores() -> Row:
    count = os.cpu_count() or 1
    if count >= 2:
        return Row("Processor", "ok", f"{count} cores")
    return Row("Processor", "warning", "1 core", "Lessons take about twice the time they state.")


def _memory() -> Row:
    import psutil

    free, total = (psutil.virtual_memory()[place] / 1e9 for place in (1, 0))
    found = f"{free:.1f} of {total:.1f} GB free"
    if free >= 2.5:
        return Row("Memory", "ok", found)
    state: Literal["warning", "problem"] = "problem" if total < 2.5 else "warning"
    return Row("Memory", state, found, "A lesson may need 2 GB: close other programs first.")


def _disk(folder: Path) -> Row:
    place = next(
        place for place in (folder.absolute(), *folder.absolute().parents) if place.exists()
    )
    free = shutil.disk_usage(place).free / 1e9
    found = f"{free:.1f} GB free for {folder}"
    if free >= 2:
        return Row("Disk", "ok", found)
    state: Literal["warning", "problem"] = "problem" if free < 0.2 else "warning"
    return Row("Disk", state, found, "Make room: caches and trained models want some 2 GB.")


def _writable(folder: Path) -> Row:
    place = next(
        place for place in (folder.absolute(), *folder.absolute().parents) if place.exists()
    )
    if os.access(place, os.W_OK):
        return Row("Folder", "ok", f"{folder} can be written")
    return Row("Folder", "problem", f"{place} cannot be written", "Choose a folder of your own.")


def _jupyter() -> Row:
    found, missing = [], []
    for package in ("jupyterlab", "ipykernel", "ipywidgets"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(package)
    if missing:
        how = f"Install what is missing: pip install {' '.join(missing)}"
        return Row("Jupyter", "problem", f"{', '.join(missing)} missing", how)
    return Row("Jupyter", "ok", ", ".join(found))


def _torch() -> list[Row]:
    try:
        import torch
    except (ImportError, OSError) as error:  # OSError: a library that it needs is missing
        return [Row("PyTorch", "problem", str(error), "Install it again: pip install torch")]
    if torch.cuda.is_available():
        device = torch.cuda.get_device_name()
    else:
        device = "the processor, which is what the lessons are made for"
    gflops = speed()
    times = _REFERENCE_GFLOPS / gflops
    found = f"{gflops:.0f} GFLOP/s in float32 matrix products"
    if times <= 2:
        row = Row("Speed", "ok", found, "Lessons take about the time they state, or less.")
    else:
        row = Row("Speed", "warning", found, f"Lessons may take {times:.0f} times what they state.")
    return [Row("PyTorch", "ok", f"{torch.__version__} on {device}"), row]
