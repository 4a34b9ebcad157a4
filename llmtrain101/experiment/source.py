"""What this process runs of llmtrain101: its files, and whether they changed under its feet."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Mapping, Set
from pathlib import Path

from llmtrain101.experiment.fingerprint import Fingerprint, file_digest

PACKAGE = Path(__file__).parents[1]
# They draw and ask, so no number comes from them; a run that names one of them depends on it too.
PRESENTATION = frozenset({"cli", "course", "plots", "widgets"})
# These choose other kernels, which round differently.
NUMBER_VARIABLES = (
    *("ATEN_CPU_CAPABILITY", "MKL_CBWR", "ONEDNN_MAX_CPU_ISA"),
    *("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES"),
)


def sources(names: Set[str] = frozenset()) -> dict[str, str]:
    """A fingerprint of each file of llmtrain101 as it is now, by its path inside the package.

    Code counts without comments and docstrings, so that mending a sentence makes no run anew.

    Parameters
    ----------
    names : set of str
        Names used by the code at hand: a presentation module counts only if it is among them.

    Examples
    --------
    >>> "seeds.py" in sources(), "plots.py" in sources(), "plots.py" in sources({"plots"})
    (True, False, True)
    """
    found = {}
    for file in sorted(PACKAGE.rglob("*")):
        inside = file.relative_to(PACKAGE)
        first = inside.parts[0].removesuffix(".py")
        hidden = "__pycache__" in inside.parts or any(part[0] == "." for part in inside.parts)
        if hidden or first in PRESENTATION - names or not file.is_file():
            continue
        stat = file.stat()
        found[inside.as_posix()] = _digest(file, stat.st_size, stat.st_mtime_ns)
    return found


def number_variables() -> dict[str, str]:
    """The environment variables that choose how numbers are rounded, as they are set now."""
    return {name: os.environ[name] for name in NUMBER_VARIABLES if name in os.environ}


def setting() -> dict[str, str]:
    """What must be the same in every process of an experiment."""
    return {**sources(), **number_variables()}


def changed(expected: Mapping[str, str]) -> list[str]:
    """Modules that this process has in another version than expected, and variables set otherwise.

    Only what is loaded counts: a file that changes before it is imported does no harm.

    Examples
    --------
    >>> changed(STARTED), changed({**STARTED, "seeds.py": "other"})
    ([], ['llmtrain101.seeds'])
    """
    differ = [name for name in STARTED | dict(expected) if STARTED.get(name) != expected.get(name)]
    modules = {_module(name) for name in differ} & set(sys.modules)
    return sorted(modules.union(set(NUMBER_VARIABLES).intersection(differ)))


def _module(path: str) -> str:
    return f"llmtrain101.{path.removesuffix('.py').replace('/', '.')}".removesuffix(".__init__")


@functools.cache
def _digest(file: Path, size: int, modified: int) -> str:
    if file.suffix != ".py":
        return file_digest(file).hex()
    try:
        code = compile(file.read_bytes(), file.name, "exec", dont_inherit=True, optimize=2)
    except SyntaxError:  # someone is in the middle of a change; who imports it will be told
        return file_digest(file).hex()
    return Fingerprint()(code)


STARTED = setting()  # as it was when this process began to use the package
