"""The learner's own copy of the course: laid out once, updated without touching their work."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmtrain101.course.lessons import course_root
from llmtrain101.course.progress_store import PRIVATE
from llmtrain101.folders import replacing

if TYPE_CHECKING:
    from nbformat import NotebookNode


class LayOutError(Exception):
    """The course could not be laid out; the message is one sentence with what to do."""


def lay_out(folder: Path, root: Path | None = None) -> list[str]:
    """Copy the notebooks into the learner's folder, or bring the copies up to date.

    Outputs are left out, so that a prediction is not spoiled. A notebook that the learner has
    changed is kept, and the newer one put beside it; one that they deleted comes back; progress
    is never touched.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.
    root : Path, optional
        The folder with `notebooks/`; by default the course's own.

    Returns
    -------
    list of str
        A line about each thing that was done; empty if all was up to date.

    Raises
    ------
    LayOutError
        If the folder cannot be made or written, or the disk is full.
    """
    root = root or course_root()
    try:
        return _lay_out(folder, sorted((root / "notebooks").glob("*.ipynb")))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise LayOutError(
            f"The course could not be laid out in {folder}: {reason}. "
            "Make room there, or name another folder that you can write to."
        ) from error


def _lay_out(folder: Path, notebooks: list[Path]) -> list[str]:
    manifest_path = folder / PRIVATE / "manifest.json"
    manifest = _read_manifest(manifest_path)
    laid: dict[str, dict[str, str]] = manifest["files"]
    said = []
    for path in notebooks:
        text = _without_outputs(path)
        version, mine = _hash(text.encode()), folder / path.name
        known = laid.get(path.name, {})
        if not mine.exists():
            said.append(f"{path.name}: laid out")
            target = mine
        elif known.get("version") == version:
            continue  # nothing new, whatever the learner did with it
        elif (now := _hash(mine.read_bytes())) in (version, known.get("file")):
            if now != version:
                said.append(f"{path.name}: updated")
            target = mine
        else:
            target = _beside(mine, laid)
            said.append(
                f"{path.name} has your work in it and was kept; its new version is {target.name}"
            )
        _write(target, text)
        laid[target.name] = {"file": version}
        laid.setdefault(path.name, {})["version"] = version
    _write(manifest_path, json.dumps(manifest, indent=1))
    return said


def _read_manifest(path: Path) -> dict[str, Any]:
    """What was laid out so far; if that is unreadable, every notebook counts as the learner's."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(manifest["files"], dict):
            return dict(manifest)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        pass
    return {"files": {}}


def _without_outputs(path: Path) -> str:
    import nbformat

    notebook: NotebookNode = nbformat.read(path, 4)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata.pop("llmtrain101", None)  # of the build; another one may be the same text
    return str(nbformat.writes(notebook)).rstrip("\n") + "\n"  # type: ignore[no-untyped-call]


def _beside(mine: Path, laid: dict[str, dict[str, str]]) -> Path:
    """A name for the new version: one that is free, or whose file the learner left alone."""
    number = 1
    while True:
        name = f"{mine.stem}.new{number if number > 1 else ''}.ipynb"
        place = mine.with_name(name)
        if not place.exists():
            return place
        if _hash(place.read_bytes()) == laid.get(name, {}).get("file"):
            return place
        number += 1


def _write(path: Path, text: str) -> None:
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=12).hexdigest()
