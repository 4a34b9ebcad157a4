"""Where an installed package keeps its files, found without importing it."""

from __future__ import annotations

import importlib.util
import sysconfig
from pathlib import Path


def folders(package: str) -> list[Path]:
    """The folders (or the one file) of a package; `"python"` is the standard library.

    Returns
    -------
    list of Path
        Empty where nothing of that name is installed, or where it has no files.

    Examples
    --------
    >>> [folder.name for folder in folders("json")]
    ['json']
    >>> folders("no_such_package")
    []
    """
    if package == "python":
        return [Path(sysconfig.get_path("stdlib"))]
    if "." in package:  # find_spec would import the parent package
        raise ValueError(
            f"packages are named by what comes after `import`, without dots: got {package!r}. "
            f"Read {package.partition('.')[0]!r} and select rows by their `module`."
        )
    try:
        spec = importlib.util.find_spec(package)
    except ValueError:  # for example "__main__", which has no specification, or an empty name
        return []
    if spec is None:
        return []
    if spec.submodule_search_locations is not None:
        return [Path(folder) for folder in spec.submodule_search_locations]
    return [Path(spec.origin)] if spec.origin and Path(spec.origin).suffix == ".py" else []


def missing(what: str, names: dict[str, str]) -> ModuleNotFoundError:
    """The error for packages that are not there: which, and how to get them.

    Examples
    --------
    >>> print(missing("ratings()", {"vaderSentiment": "vaderSentiment"}))
    ratings() reads files of vaderSentiment, which is not installed here. \
Install it with: pip install vaderSentiment
    """
    verb, them = ("is", "it") if len(names) == 1 else ("are", "them")
    return ModuleNotFoundError(
        f"{what} reads files of {', '.join(names)}, which {verb} not installed here. "
        f"Install {them} with: pip install {' '.join(names.values())}"
    )
