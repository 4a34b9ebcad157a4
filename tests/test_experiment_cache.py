"""A result is found again exactly when nothing that it depends on has changed."""

from __future__ import annotations

import functools
import importlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import llmtrain101
from llmtrain101.experiment import Claim, Results, cache
from llmtrain101.experiment.fingerprint import Fingerprint, file_digest
from llmtrain101.experiment.source import sources

CLAIM = Claim("b beats a", control="a", treatment="b", metric="value", smallest_effect=0.1)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLMTRAIN101_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "experiments"


def cell(source: str, *, name: str = "<cell>", **scope: Any) -> Callable[[int], float]:
    """The function `arm`, made as a notebook makes it: compiled text, run in one namespace."""
    scope["__name__"] = "__main__"
    exec(compile(source, name, "exec"), scope)
    arm: Callable[[int], float] = scope["arm"]
    return arm


HELPERS = """
import functools
RATE = 2.0
@functools.cache
def deeper(x):
    return x * RATE
class Model:
    bias = 1
    def predict(self, x):
        return [deeper(x) + self.bias for _ in range(2)][0]
def arm(seed, offset=0.5):
    '''An arm.'''
    return Model().predict(seed) + offset
"""


def test_the_same_code_in_another_cell_is_the_same() -> None:
    moved = cell("# moved\n\n\n" + HELPERS.replace("RATE = 2.0", "RATE = 2.0  # why"), name="<b>")
    assert Fingerprint()(cell(HELPERS)) == Fingerprint()(moved)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("RATE = 2.0", "RATE = 2.5"),  # a global, used by a function that is used by a method
        ("x * RATE", "x + RATE"),
        ("bias = 1", "bias = 2"),
        ("+ self.bias", "- self.bias"),
        ("offset=0.5", "offset=0.25"),
        ("range(2)", "range(3)"),  # in a comprehension
        ("class Model:", "class Model(dict):"),
        ("+ offset", "+ offset * 1"),
    ],
)
def test_any_change_that_the_arm_reaches_is_seen(old: str, new: str) -> None:
    assert HELPERS.count(old) == 1
    assert Fingerprint()(cell(HELPERS)) != Fingerprint()(cell(HELPERS.replace(old, new)))


def test_what_the_arm_does_not_reach_is_not_looked_at() -> None:
    more = HELPERS + "\ndef other():\n    return arm(3)\nlock = __import__('threading').Lock()\n"
    assert Fingerprint()(cell(HELPERS)) == Fingerprint()(cell(more))


def test_closures_partials_and_bound_methods_are_seen() -> None:
    def make(rate: object) -> Callable[[int], object]:
        return lambda seed: (seed, rate)

    def scaled(seed: int, rate: float) -> float:
        return seed * rate

    class Arm:
        def __init__(self, rate: float) -> None:
            self.rate = rate

        def run(self, seed: int) -> float:
            return self.rate

    for build in (make, lambda rate: functools.partial(scaled, rate=rate), lambda r: Arm(r).run):
        assert Fingerprint()(build(0.5)) == Fingerprint()(build(0.5))
        assert Fingerprint()(build(0.5)) != Fingerprint()(build(0.25))


def test_values_are_compared_by_content() -> None:
    import pandas as pd
    import torch

    def same(a: object, b: object) -> bool:
        return Fingerprint()(a) == Fingerprint()(b)

    assert same(np.arange(6.0), np.arange(6.0)) and same(torch.ones(2, 3), torch.ones(2, 3))
    assert not same(np.arange(6.0), np.arange(6.0).reshape(2, 3))
    assert not same(np.arange(6), np.arange(6.0))
    assert not same(torch.ones(2), torch.tensor([1.0, 1.0000001]))
    assert same(torch.ones(2, dtype=torch.bfloat16), torch.ones(2, dtype=torch.bfloat16))
    assert same(pd.DataFrame({"a": ["x", "y"]}), pd.DataFrame({"a": ["x", "y"]}))
    assert not same(pd.DataFrame({"a": ["x", "y"]}), pd.DataFrame({"a": ["x", "z"]}))
    assert not same(1, True) and not same(1, 1.0) and not same(0.0, -0.0) and not same("1", b"1")
    assert not same(["ab", "c"], ["a", "bc"]) and not same({"a": 1}, {"a": 2})
    model = torch.nn.Linear(2, 2)
    before = Fingerprint()(model)
    assert Fingerprint()(model) == before
    with torch.no_grad():
        model.weight[0, 0] += 1e-6
    assert Fingerprint()(model) != before


def test_what_refers_to_itself_has_a_fingerprint() -> None:
    def fold(seed: int) -> int:
        return seed and fold(seed - 1)

    looped: list[object] = [1]
    looped.append(looped)
    assert Fingerprint()(fold) == Fingerprint()(fold)
    assert Fingerprint()(looped) != Fingerprint()([1, [1]])


def test_running_the_code_does_not_change_its_fingerprint() -> None:
    arm = cell(HELPERS)
    before = Fingerprint()(arm)
    for seed in range(500):  # by now the interpreter has specialised its bytecode
        arm(seed)
    assert Fingerprint()(arm) == before


PRINTS = """
import pandas as pd, numpy as np
from llmtrain101.experiment.fingerprint import Fingerprint
words = {"one", "two", "three", "four"}
frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
generator = np.random.default_rng(0)
class Word:
    kind = words
def arm(seed):
    return len(words & Word.kind & {"five", "six", "seven"}) + frame.a.sum() + generator.random()
print(Fingerprint()(arm))
"""


def test_another_process_finds_the_same_fingerprint() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", PRINTS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1 and len(found.pop().strip()) == 32


def test_what_has_no_content_is_named() -> None:
    lock = threading.Lock()
    with pytest.raises(TypeError, match=r"arm 'a': a _thread.lock cannot be compared"):
        CLAIM.run({"a": lambda seed: bool(lock), "b": float}, range(3), show=False)


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Write a module beside the notebook, and import it (again)."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(source: str) -> Any:
        (tmp_path / "beside_it.py").write_text(source, encoding="utf-8", newline="\n")
        importlib.invalidate_caches()
        if "beside_it" in sys.modules:
            return importlib.reload(sys.modules["beside_it"])
        return importlib.import_module("beside_it")

    yield write  # type: ignore[misc]
    sys.modules.pop("beside_it", None)


def test_a_changed_module_beside_the_notebook_runs_anew_in_workers_that_knew_the_old(
    helper: Callable[[str], Any],
) -> None:
    def values() -> list[float]:
        arms = {"a": float, "b": lambda seed: module.gain(seed), "c": module.gain}
        return CLAIM.run(arms, range(3), processes=2, show=False).table.value.tolist()

    module = helper("STEP = 1\ndef gain(seed):\n    return seed + STEP\n")
    assert values() == [0, 1, 2, 1, 2, 3, 1, 2, 3]
    module = helper("STEP = 5\ndef gain(seed):\n    return seed + STEP\n")
    assert values() == [0, 1, 2, 5, 6, 7, 5, 6, 7]


def test_a_module_imported_inside_the_arm_is_refused(helper: Callable[[str], Any]) -> None:
    helper("STEP = 1\n")

    def arm(seed: int) -> float:
        import beside_it  # type: ignore[import-not-found]

        return seed + float(beside_it.STEP)

    with pytest.raises(TypeError, match="'beside_it' is imported inside a function"):
        CLAIM.run({"a": float, "b": arm}, range(3), show=False)


class Calls:
    """An arm that leaves a mark each time it is really run."""

    def __init__(self, marks: Path) -> None:
        self.marks = marks

    def __call__(self, seed: int) -> float:
        with self.marks.open("a", encoding="utf-8") as file:
            file.write(f"{seed}\n")
        return seed + gain()


def gain() -> float:
    return 1.0


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    return tmp_path / "marks"


def run(marks: Path, **options: Any) -> Results:
    seeds = options.pop("seeds", range(3))
    arms = {"a": float, "b": Calls(marks)}
    return CLAIM.run(arms, seeds, processes=1, show=False, **options)


def made(marks: Path) -> list[int]:
    """The seeds run since the last look."""
    lines = marks.read_text(encoding="utf-8").split() if marks.exists() else []
    marks.unlink(missing_ok=True)
    return [int(line) for line in lines]


def test_a_second_run_makes_nothing_and_gives_the_same(marks: Path) -> None:
    first = run(marks)
    assert made(marks) == [0, 1, 2]
    again = run(marks)
    assert made(marks) == []
    assert again.runs == first.runs  # the seconds too: those of the run that was made
    assert run(marks, seeds=range(5)).n == 5
    assert made(marks) == [3, 4]


def test_cache_false_makes_all_and_keeps_none(marks: Path, folder: Path) -> None:
    run(marks, cache=False)
    run(marks, cache=False)
    assert sorted(made(marks)) == [0, 0, 1, 1, 2, 2] and not folder.exists()


def test_config_data_and_helpers_make_a_new_run(
    marks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ratings.csv"
    file.write_text("good,5\n", encoding="utf-8")
    run(marks, config={"learning_rate": 0.1}, data=file)
    assert made(marks) == [0, 1, 2]
    run(marks, config={"learning_rate": 0.2}, data=file)
    assert made(marks) == [0, 1, 2]
    file.write_text("good,4\n", encoding="utf-8")  # same name, same length
    run(marks, config={"learning_rate": 0.2}, data=file)
    assert made(marks) == [0, 1, 2]
    run(marks, config={"learning_rate": 0.2}, data=file.rename(tmp_path / "renamed.csv"))
    assert made(marks) == []
    monkeypatch.setitem(globals(), "gain", lambda: 2.0)  # as if the cell were run again, changed
    assert run(marks).difference == 2.0
    assert made(marks) == [0, 1, 2]


def test_versions_and_variables_that_move_numbers_are_part_of_the_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, _ = cache.dependencies(gain)  # type: ignore[arg-type]
    assert cache.dependencies(gain)[0] == before  # type: ignore[arg-type]
    monkeypatch.setenv("MKL_CBWR", "AVX2,STRICT")
    other, _ = cache.dependencies(gain)  # type: ignore[arg-type]
    monkeypatch.undo()
    monkeypatch.setattr(cache, "version", lambda name: "99.0" if name == "torch" else "1")
    assert len({before, other, cache.dependencies(gain)[0]}) == 3  # type: ignore[arg-type]


def test_a_variable_changed_since_the_start_is_an_error(
    marks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default-not")  # torch has read it, workers would
    with pytest.raises(RuntimeError, match="restart"):
        run(marks)


SCRIPT = """
from llmtrain101 import seeds
from llmtrain101.experiment.cache import dependencies
def arm(seed):
    return seed + seeds.rng(seed, "draw").random()
print(dependencies(arm)[0])
"""


def test_a_change_of_the_package_is_seen_and_a_comment_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "path" / "llmtrain101"
    source = Path(llmtrain101.__file__).parent
    shutil.copytree(source, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")

    def name(old: str, new: str) -> str:
        text = (package / "seeds.py").read_text(encoding="utf-8")
        assert old in text
        (package / "seeds.py").write_text(text.replace(old, new), encoding="utf-8")
        command = [sys.executable, script]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout

    first = name("", "")
    assert name('"""A 63-bit number', '# why\n    """A number of 63 bits') == first
    assert name('f"{seed}/', 'f"{seed}//') != first


def test_presentation_counts_only_where_it_is_used() -> None:
    assert {*sources({"plots"})} - {*sources()} == {"plots.py"}


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[]",
        lambda text: text.replace('"value": 1.0', '"value": 7.0'),
        lambda text: text.replace('"details": {}', '"details": {"f1": 0.5}'),
    ],
)
def test_a_damaged_entry_is_made_again(
    marks: Path, folder: Path, damage: Callable[[str], str]
) -> None:
    first = run(marks)
    made(marks)
    for file in folder.iterdir():
        text = file.read_text(encoding="utf-8")
        if '"arm": "b"' in text and '"seed": 0' in text:
            assert damage(text) != text
            file.write_text(damage(text), encoding="utf-8")
    assert run(marks).values == first.values
    assert made(marks) == [0]


def test_a_cache_that_cannot_be_written_costs_no_result(
    marks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    monkeypatch.setenv("LLMTRAIN101_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="cannot keep results"):
        assert run(marks).difference == 1.0


def test_an_entry_says_how_it_was_made(marks: Path, folder: Path) -> None:
    run(marks, config={"layers": 2})
    entries = [json.loads(file.read_text(encoding="utf-8")) for file in folder.iterdir()]
    assert {(entry["arm"], entry["seed"]) for entry in entries} >= {("a", 0), ("b", 2)}
    assert all(entry["made"]["config"] == {"layers": 2} for entry in entries)
    known = {"llmtrain101", "torch", "numpy", "python", "processor", "device", "system", "when"}
    assert known <= set(entries[0]["made"])


def test_a_folder_stands_for_the_names_and_the_content_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("one", encoding="utf-8")
    before = file_digest(tmp_path / "texts")
    (tmp_path / "texts" / "a.txt").rename(tmp_path / "texts" / "b.txt")
    assert file_digest(tmp_path / "texts") != before
    with pytest.raises(FileNotFoundError):
        file_digest(tmp_path / "nothing")
