"""Training states: all that a run needs to go on as if it had never stopped."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from llmtrain101.weights import (
    NUMBERS,
    header,
    read_json,
    read_tensors,
    sha256,
    space_for,
    write_tensors,
)

_WEIGHTS, _OPTIMIZERS = "model.safetensors", "optimizers.safetensors"


class Optimizer(Protocol):
    """What a training state needs of an optimiser."""

    def state_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class State:
    """A moment of a training run: `step` optimiser steps are done; `facts` is the caller's."""

    path: Path
    step: int
    model: dict[str, Tensor]
    optimizers: list[dict[str, Any]]
    facts: dict[str, Any]


def save_state(
    folder: str | Path,
    step: int,
    model: nn.Module,
    optimizers: Sequence[Optimizer],
    facts: Mapping[str, Any] | None = None,
    *,
    keep: int = 2,
) -> Path:
    """Save all that training needs to go on after `step` steps as if it had never stopped.

    The state is made in a folder of another name and renamed once it is whole; only then are older
    ones deleted, but for the newest `keep`.

    Parameters
    ----------
    folder : path
        The state becomes `folder/states/step-00000123`.
    step : int
        Optimiser steps done.
    model : Module
    optimizers : sequence of Optimizer
        What has changed since the run began. Batches are a function of seed and step: they are not
        saved.
    facts : mapping, optional
        Whatever else is to come back, as JSON.

    Raises
    ------
    OSError
        If the disk is full. Earlier states are then still whole.

    See Also
    --------
    newest_state : has an example.
    """
    states = Path(folder) / "states"
    target = states / f"step-{step:08d}"
    tensors: dict[str, Tensor] = {}
    tree = _flatten([optimizer.state_dict() for optimizer in optimizers], tensors)
    weights = model.state_dict()
    size = sum(tensor.nbytes for tensor in (*weights.values(), *tensors.values()))
    part = states / f"{target.name}.part"
    with space_for(target, size):
        states.mkdir(parents=True, exist_ok=True)
        for leftover in (*states.glob("*.part"), *states.glob("*.old")):
            shutil.rmtree(leftover, ignore_errors=True)
        try:
            part.mkdir()
            write_tensors(part / _WEIGHTS, weights)
            write_tensors(part / _OPTIMIZERS, tensors)
            about = {
                "step": step,
                "facts": dict(facts or {}),
                "optimizers": tree,
                "sha256": {file.name: sha256(file) for file in sorted(part.iterdir())},
            }
            about["sha256"]["state.json"] = _digest(about)
            # written last: where it stands, the others are whole
            with (part / "state.json").open("w", encoding="utf-8", newline="\n") as file:
                json.dump(about, file)
                file.flush()
                os.fsync(file.fileno())
            _remove(target)  # a damaged state of the same step, from before a resume
            os.replace(part, target)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    for old in _states(folder)[keep:]:
        _remove(old)
    return target


def newest_state(folder: str | Path) -> tuple[State | None, list[str]]:
    """The newest whole state of a run, and a sentence on each newer one that is damaged.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> net = nn.Linear(2, 1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = save_state(folder, 3, net, [torch.optim.SGD(net.parameters())], {"seed": 0})
    ...     state, problems = newest_state(folder)
    >>> state.step, state.facts, problems
    (3, {'seed': 0}, [])
    """
    problems: list[str] = []
    for path in _states(folder):
        try:
            return _load_state(path), problems
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            problems.append(f"The state {path} is damaged ({error}).")
    return None, problems


def _load_state(path: Path) -> State:
    about = read_json(path / "state.json")
    sums = dict(about["sha256"])
    if sums.pop("state.json", None) != _digest({**about, "sha256": sums}):
        raise ValueError("state.json is not what was written")
    for name in (_WEIGHTS, _OPTIMIZERS):
        if sha256(path / name) != sums[name]:
            raise ValueError(f"{name} is not what was written")
        header(path / name, NUMBERS)
    tensors = read_tensors(path / _OPTIMIZERS)
    optimizers = _unflatten(about["optimizers"], tensors)
    return State(
        path, int(about["step"]), read_tensors(path / _WEIGHTS), optimizers, about["facts"]
    )


def _states(folder: str | Path) -> list[Path]:
    """Newest first."""
    found = (Path(folder) / "states").glob("step-*")
    return sorted((path for path in found if path.name[5:].isdigit()), reverse=True)


def _remove(state: Path) -> None:
    """Rename, then delete: a state that is being deleted does not look like a damaged one."""
    if state.exists():
        doomed = state.with_name(f"{state.name}.old")
        shutil.rmtree(doomed, ignore_errors=True)
        os.replace(state, doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def _flatten(tree: Any, tensors: dict[str, Tensor]) -> Any:
    """JSON for nested dicts, lists and tuples; a tensor goes to `tensors` and leaves its name."""
    if isinstance(tree, Tensor):
        tensors[name := str(len(tensors))] = tree
        return {"tensor": name}
    if isinstance(tree, dict):
        return {"dict": [[key, _flatten(value, tensors)] for key, value in tree.items()]}
    if isinstance(tree, list | tuple):
        return {type(tree).__name__: [_flatten(value, tensors) for value in tree]}
    if tree is None or isinstance(tree, bool | int | float | str):
        return {"value": tree}
    raise TypeError(f"A training state holds tensors, numbers and strings, not {type(tree)}.")


def _unflatten(tree: dict[str, Any], tensors: dict[str, Tensor]) -> Any:
    ((kind, value),) = tree.items()
    if kind == "tensor":
        return tensors[value]
    if kind == "dict":  # pairs, because JSON would make strings of the keys 0, 1, 2
        return {key: _unflatten(item, tensors) for key, item in value}
    if kind in ("list", "tuple"):
        items = [_unflatten(item, tensors) for item in value]
        return items if kind == "list" else tuple(items)
    return value


def _digest(about: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()
