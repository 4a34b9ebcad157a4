"""Finished runs, kept as small JSON files under a name made of everything they depend on."""

from __future__ import annotations

import functools
import hashlib
import json
import platform
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llmtrain101 import __version__, folders
from llmtrain101.experiment.fingerprint import Fingerprint, version
from llmtrain101.experiment.source import number_variables, sources

# Packages that compute, and those whose docstrings, ratings or translations are the data.
NUMBERS_FROM = (
    *("numpy", "scipy", "pandas", "scikit-learn", "torch", "transformers", "tokenizers"),
    *("safetensors", "matplotlib", "vaderSentiment", "jupyterlab-language-pack-fr-FR"),
)


@dataclass(frozen=True)
class Run:
    """One arm with one seed, finished.

    Attributes
    ----------
    arm : str
    seed : int
    value : float
        The metric of the claim.
    seconds : float
        What the run took when it was made, also where it comes from the cache.
    details : dict
        Whatever else the arm returned.
    """

    arm: str
    seed: int
    value: float
    seconds: float
    details: dict[str, Any] = field(default_factory=dict)


def dependencies(
    arm: Callable[[int], Any], config: object = None, data: object = None
) -> tuple[str, Fingerprint]:
    """A fingerprint of what every run of an arm depends on, apart from the seed.

    Raises
    ------
    TypeError
        If a part of the arm, of `config` or of `data` has no content to compare.
    FileNotFoundError
        If `data` names a file that is not there.

    Examples
    --------
    >>> def arm(seed):
    ...     return seed / 2
    >>> dependencies(arm)[0] == dependencies(arm, config={"learning_rate": 0.1})[0]
    False
    """
    seen = Fingerprint()
    parts = {
        "arm": seen(arm),
        "config": seen(config),
        "data": Fingerprint(read_files=True)(data),
        "source": sources(seen.names),
        "packages": {name: version(name) for name in sorted({*NUMBERS_FROM, *seen.packages})},
        "python": [platform.python_implementation(), sys.version_info[:3], platform.machine()],
        "variables": number_variables(),
    }
    return _digest(parts), seen


def find(depends: str, seed: int) -> tuple[float, float, dict[str, Any]] | None:
    """Value, seconds and details of a run that was made before; None if there is none.

    A file that is damaged, truncated or of another kind counts as none: the run is made again.
    """
    try:
        entry = json.loads(_path(depends, seed).read_text(encoding="utf-8"))
        result = entry["result"]
        if entry["check"] != _digest([depends, seed, result]):
            return None
        return float(result["value"]), float(result["seconds"]), dict(result["details"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(depends: str, run: Run, made: Mapping[str, Any]) -> None:
    """Write a run down, with where and how it was made.

    Parameters
    ----------
    depends : str
        From `dependencies`.
    run : Run
    made : mapping
        For the reader of the file; no part of the name: config, device, torch version and so on.
    """
    result = {"value": run.value, "seconds": run.seconds, "details": run.details}
    entry = {
        "arm": run.arm,
        "seed": run.seed,
        "result": result,
        "check": _digest([depends, run.seed, result]),
        "made": {"llmtrain101": __version__, "when": f"{datetime.now(UTC):%Y-%m-%d}", **made},
    }
    path = _path(depends, run.seed)
    try:
        with folders.replacing(path) as part:
            text = json.dumps(entry, indent=1, ensure_ascii=False, default=repr)
            part.write_text(text + "\n", encoding="utf-8", newline="\n")
    except OSError as error:  # a full disk costs the cache, not the experiment
        warnings.warn(f"{path.parent} cannot keep results: {error}", stacklevel=2)


def machine() -> dict[str, str]:
    """What this process computes on, for the record: processor, device, versions."""
    torch = sys.modules.get("torch")
    gpu = torch is not None and torch.cuda.is_available()
    return {
        "processor": _processor(),
        "device": torch.cuda.get_device_name() if torch is not None and gpu else "cpu",
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "torch")},
        **number_variables(),
    }


@functools.cache
def _processor() -> str:
    try:  # on Linux platform.processor() is empty, or says x86_64 of all of them
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _path(depends: str, seed: int) -> Path:
    return folders.cache_folder() / "experiments" / f"{depends}-{seed}.json"


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=repr)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
