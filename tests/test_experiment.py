"""Claims run their arms in other processes, keep what is finished, and say all four verdicts."""

from __future__ import annotations

import functools
import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from llmtrain101.experiment import ArmFailed, Claim, parallel
from llmtrain101.seeds import rng

CLAIM = Claim(
    "rest helps",
    control="no rest",
    treatment="rest",
    metric="accuracy",
    smallest_effect=0.02,
    lesson="99",
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLMTRAIN101_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "experiments"


def control(seed: int) -> float:
    return 0.7 + 0.05 * float(rng(seed, "both").normal())


def shifted(seed: int, by: float, noise: float) -> float:
    """The control of the same seed, moved: what both share cancels out."""
    return control(seed) + by + noise * float(rng(seed, "own").normal())


def arms(by: float, noise: float = 0.005) -> dict[str, Callable[[int], float]]:
    return {"no rest": control, "rest": lambda seed: shifted(seed, by, noise)}


def run(*args: Any, claim: Claim = CLAIM, **options: Any) -> Any:
    return claim.run(*args, **{"processes": 2, "show": False, **options})


@pytest.mark.parametrize(
    ("by", "noise", "word"),
    [
        (0.04, 0.005, "supported"),
        (0.0, 0.005, "no effect found"),
        (-0.04, 0.005, "not supported"),
        (0.02, 0.03, "undecided"),
    ],
)
def test_each_verdict_is_reached_and_reversed_where_less_is_better(
    by: float, noise: float, word: str
) -> None:
    # the control's own spread, 0.05, would drown these effects: only pairs can show them
    results = run(arms(by, noise), range(8))
    assert results.verdict.word == word
    assert str(results.verdict) == f"{word} (8 seeds)"
    low, high = results.interval
    assert low < results.difference < high
    fewer = Claim(
        "rest lowers the error",
        control="no rest",
        treatment="rest",
        metric="error",
        smallest_effect=0.02,
        higher_is_better=False,
    )
    mirrored = run(arms(-by, noise), range(8), claim=fewer)
    assert mirrored.verdict.word == word
    # the noise is not mirrored, so only about the same
    assert mirrored.difference == pytest.approx(results.difference, abs=2.5 * noise)


def test_the_difference_is_that_of_pairs() -> None:
    results = run({"rest": lambda seed: seed**2, "no rest": float}, [3, 1, 2])
    assert results.values == {"rest": [9, 1, 4], "no rest": [3, 1, 2]}
    assert results.differences == [6, 0, 2] and results.difference == pytest.approx(8 / 3)
    assert results.seeds == (3, 1, 2) and results.n == 3


def test_two_equal_arms_show_no_effect() -> None:
    results = run({"no rest": control, "rest": control}, range(4))
    assert results.interval == (0, 0)
    assert results.verdict.word == "no effect found"
    assert "Every seed gave the same difference" in results.summary()


def test_the_table_has_a_row_for_each_run_and_what_else_the_arm_returned() -> None:
    def arm(seed: int) -> dict[str, object]:
        losses = np.arange(3.0) + seed
        return {"value": np.float32(seed), "f1": 0.5, "losses": losses, "text": "ok"}

    results = run({"no rest": control, "rest": arm}, range(3))
    assert list(results.table.columns) == ["arm", "seed", "value", "seconds", "f1", "text"]
    assert list(results.table.arm) == ["no rest"] * 3 + ["rest"] * 3
    assert list(results.table.seed) == [0, 1, 2] * 2
    assert (results.table.seconds >= 0).all() and results.seconds == results.table.seconds.sum()
    assert results.details["rest", 2] == {"f1": 0.5, "losses": [2.0, 3.0, 4.0], "text": "ok"}
    assert run({"no rest": control, "rest": arm}, range(3)).details == results.details


def test_functions_of_every_kind_can_be_sent() -> None:
    offset = 0.5

    class Arm:
        def method(self, seed: int) -> float:
            return seed + offset

    @functools.cache
    def remembered() -> float:
        return offset

    for arm in (
        lambda seed: seed + offset,
        lambda seed: seed + remembered(),
        functools.partial(lambda more, seed: seed + more, offset),
        Arm().method,
    ):
        assert run({"no rest": float, "rest": arm}, range(3)).differences == [0.5] * 3


def noisy(seed: int) -> float:
    """Bits that move with the number of threads, from numbers of the global random stream."""
    import torch

    values = torch.randn(500_000)
    return float(values @ values)


def test_bits_depend_neither_on_processes_nor_on_threads_nor_on_what_ran_before() -> None:
    import torch

    before = torch.get_num_threads()
    everywhere = {"no rest": noisy, "rest": lambda seed: noisy(seed) + noisy(seed)}
    torch.set_num_threads(2)
    try:
        here = torch.randn(500_000, generator=torch.Generator().manual_seed(0))
        two = float(here @ here)
        torch.set_num_threads(1)
        assert two != float(here @ here)  # else the rest of this test would show nothing
        torch.set_num_threads(2)
        results = [run(everywhere, range(3), processes=n, cache=False).values for n in (1, 2)]
        with joblib.parallel_config(backend="sequential"):
            results.append(run(everywhere, range(3), cache=False).values)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert all(values == results[0] for values in results)
    assert len(set(results[0]["no rest"])) == 3  # each seed has draws of its own


def test_a_run_sees_nothing_of_what_another_changed() -> None:
    seen: list[int] = []

    def greedy(seed: int) -> float:
        seen.append(seed)
        return len(seen)

    results = run({"no rest": greedy, "rest": greedy}, range(4), processes=1)
    assert set(results.values["rest"]) == {1} and seen == []


def test_this_process_keeps_its_random_streams_and_variables() -> None:
    import torch

    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    variables = dict(os.environ)
    with joblib.parallel_config(backend="sequential"):
        run({"no rest": noisy, "rest": lambda seed: random.random()}, range(3))
    assert random.getstate() == states[0] and np.random.get_state()[1].tolist() == states[1]
    assert torch.equal(torch.get_rng_state(), states[2]) and dict(os.environ) == variables


def test_in_this_process_nothing_is_kept(folder: Path) -> None:
    with joblib.parallel_config(backend="sequential"):
        assert run(arms(0.04), range(8)).verdict.word == "supported"
    assert not folder.exists()


class Counting(type(joblib.parallel.BACKENDS["loky"](nesting_level=0))):  # type: ignore[misc]
    """A backend of the user's own, such as Dask's; with `streams` off one such as Ray's."""

    submitted = 0
    streams = True

    @property
    def supports_return_generator(self) -> bool:
        return self.streams

    def submit(self, *args: Any, **options: Any) -> Any:
        type(self).submitted += 1
        return super().submit(*args, **options)


@pytest.mark.parametrize("streams", [True, False])
def test_a_backend_that_the_user_chose_is_used(
    streams: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(joblib.parallel.BACKENDS, "counting", Counting)
    monkeypatch.setattr(Counting, "submitted", 0)
    monkeypatch.setattr(Counting, "streams", streams)
    with joblib.parallel_config(backend="counting", n_jobs=2):
        results = run(arms(0.04), range(4), processes=None)
    assert Counting.submitted == 8 and results.n == 4
    assert run(arms(0.04), range(4)).runs == results.runs  # and the results are kept


def test_a_failing_arm_is_named_and_the_others_are_kept(folder: Path) -> None:
    def stumbles(seed: int) -> float:
        if seed == 1:
            raise ZeroDivisionError("by nothing")
        return 1.0

    with pytest.raises(ArmFailed) as caught:
        run({"no rest": control, "rest": stumbles}, range(30))
    message = str(caught.value)
    assert (caught.value.arm, caught.value.seed) == ("rest", 1)
    assert message.startswith("arm 'rest', seed 1: ZeroDivisionError: by nothing\n")
    assert 'raise ZeroDivisionError("by nothing")' in message and "in stumbles" in message
    kept = len(list(folder.iterdir()))
    assert f"{kept} of 60 runs are finished and kept" in message
    assert 3 <= kept < 30  # what was in progress is finished, what was not begun is left
    assert run({"no rest": control, "rest": lambda seed: 1.0}, range(30)).n == 30


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (math.nan, "arm 'rest', seed 0: ArithmeticError: the arm returned nan, with"),
        (-math.inf, "returned -inf, with"),
        (None, "must return its metric as a number, or a dict with it, got None"),
        ("0.5", "as a number, or a dict with it, got '0.5'"),
        ({"accuracy": 0.5}, r"under 'value', got the keys \['accuracy'\]"),
        ({"value": 0.5, "model": object()}, "not a object"),
    ],
)
def test_an_answer_that_cannot_be_compared_is_refused(answer: object, message: str) -> None:
    with pytest.raises(ArmFailed, match=message):
        run({"no rest": control, "rest": lambda seed: answer}, range(3))


def test_a_process_that_dies_is_reported_and_the_next_claim_runs(folder: Path) -> None:
    def dies(seed: int) -> float:
        if seed == 2:
            time.sleep(0.3)  # so that the others are through
            os._exit(1)
        return 1.0

    with pytest.raises(RuntimeError, match=r"memory; pass processes=1.* of 6 runs are finished"):
        run({"no rest": control, "rest": dies}, range(3))
    assert len(list(folder.iterdir())) >= 3
    assert run(arms(0.04), range(4)).n == 4


INTERRUPTED = """
import time
from llmtrain101.experiment import Claim
def slow(seed):
    time.sleep(0.2)
    return float(seed)
claim = Claim("b", control="a", treatment="b", metric="m", smallest_effect=0.1)
claim.run({"a": slow, "b": lambda seed: slow(seed) + 1}, range(100), processes=2)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal for one process")
def test_an_interrupt_leaves_what_was_finished(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    with output.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", INTERRUPTED],
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        deadline = time.monotonic() + 60
        while not (folder.exists() and len(list(folder.iterdir())) > 2):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal and Jupyter do
        process.wait(timeout=30)
    text = output.read_text(encoding="utf-8")
    kept = len(list(folder.glob("*.json")))
    assert f"Stopped. {kept} of 200 runs are finished and kept" in text
    assert text.count("Traceback") == 1 and not list(folder.glob("*.part"))


def test_what_is_printed_is_the_same_with_and_without_the_cache(
    capsys: pytest.CaptureFixture[str],
) -> None:
    outputs = []
    for _ in range(2):
        run(arms(0.04), range(8), minutes=0.8, show=True)
        lines = capsys.readouterr().out.replace("\r", "\n").splitlines()
        assert any("100%" in line and "16/16" in line for line in lines)
        outputs.append([line for line in lines if "run/s" not in line and "s/ run" not in line])
    assert outputs[0] == outputs[1]
    assert outputs[0][0] == "8 seeds × 2 arms, about 50 s on 2 cores; cached afterwards"


def test_the_announcement_rounds_as_people_do() -> None:
    from llmtrain101.experiment.claim import _announcement

    assert _announcement(5, 3, None) == "5 seeds × 3 arms"
    assert "about 5 s on" in _announcement(5, 3, 0.02)
    assert "about 3 minutes on" in _announcement(5, 3, 3.2)


def test_words_are_the_same_on_another_processor_and_digits_are_apart() -> None:
    claim = Claim("rest <helps>", control="no rest", treatment="rest", metric="m",
                  smallest_effect=0.02)  # fmt: skip
    here = run(arms(0.04), range(8), claim=claim, constants={"majority": 0.5})
    there = run(arms(0.0401), range(8), claim=claim, constants={"majority": 0.5})
    assert repr(here) == repr(there) and here.alt_text() == there.alt_text()
    assert here._repr_html_() == there._repr_html_() and "&lt;helps&gt;" in here._repr_html_()
    assert here.summary() != there.summary()
    assert "supported (8 seeds)" in repr(here) and "supported (8 seeds)" in here.alt_text()
    assert f"+{here.difference:.4f}" in here.summary() and "majority" in here.summary()


def test_baselines_must_be_there_as_arms_or_constants() -> None:
    claim = Claim("b", control="a", treatment="b", metric="m", smallest_effect=1,
                  baselines=("bag of words",))  # fmt: skip
    with pytest.raises(ValueError, match="'bag of words'"):
        run({"a": float, "b": float}, range(3), claim=claim)
    constants = {"bag of words": 0.5}
    assert run({"a": float, "b": float}, range(3), claim=claim, constants=constants).n == 3


def test_a_record_is_one_line_a_claim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = tmp_path / "record.jsonl"
    monkeypatch.setenv("LLMTRAIN101_RECORD", str(record))
    results = run(arms(0.04), range(8))
    run(arms(0.04), range(8))
    first, second = map(json.loads, record.read_text(encoding="utf-8").splitlines())
    assert first == second  # seconds too: those of the computation, not of the cache
    assert first["lesson"] == "99" and first["claim"] == "rest helps"
    assert (first["low"], first["high"]) == results.interval and first["n"] == 8
    assert first["verdict"] == "supported" and first["effect"] == results.difference
    assert {"control", "treatment", "metric", "smallest_effect", "seconds"} <= set(first)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"smallest_effect": 0}, "above 0"),
        ({"smallest_effect": -0.1}, "higher_is_better=False"),
        ({"smallest_effect": math.nan}, "above 0"),
        ({"treatment": "no rest"}, "name of its own"),
        ({"baselines": ("rest",)}, "name of its own"),
        ({"baselines": "rest"}, "tuple of names"),
        ({"metric": " "}, "metric must say something"),
        ({"prediction": ""}, "prediction must say something"),
    ],
)
def test_a_claim_that_makes_no_sense_is_refused(change: dict[str, Any], message: str) -> None:
    fields = {"control": "no rest", "treatment": "rest", "metric": "m", "smallest_effect": 0.1}
    prediction = change.pop("prediction", "rest helps")
    with pytest.raises(ValueError, match=message):
        Claim(prediction, **{**fields, **change})


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (({"rest": float}, range(3)), ValueError, "about \\['no rest'\\]"),
        (({"rest": float, "no rest": 0.5}, range(3)), TypeError, "function of the seed"),
        (({"rest": float, "no rest": float}, range(2)), ValueError, "at least 3 seeds, got 2"),
        (({"rest": float, "no rest": float}, [1, 2, 2]), ValueError, "not a second experiment"),
        (({"rest": float, "no rest": float}, [0.5, 1, 2]), TypeError, "integer"),
    ],
)
def test_arms_and_seeds_are_checked_before_anything_runs(
    given: tuple[Any, Any], error: type[Exception], message: str, folder: Path
) -> None:
    with pytest.raises(error, match=message):
        run(*given)
    assert not folder.exists()


def test_an_arm_that_cannot_be_sent_is_named() -> None:
    def generate() -> Iterator[int]:
        yield 1

    endless = generate()
    with pytest.raises(TypeError, match="arm 'rest': it cannot be sent to another process"):
        run({"no rest": float, "rest": lambda seed: next(endless)}, range(3), cache=False)


def test_processes_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    class Memory:
        available = 3.5 * parallel.MEMORY_A_PROCESS

    monkeypatch.setattr(parallel.psutil, "virtual_memory", Memory)
    monkeypatch.setattr(parallel.joblib, "cpu_count", lambda: 64)
    assert parallel.default_processes() == 3
    Memory.available = 0
    assert parallel.default_processes() == 1


def test_what_takes_long_to_import_is_not_imported() -> None:
    code = (
        "import sys, llmtrain101.experiment\n"
        "slow = {'torch', 'pandas', 'matplotlib', 'scipy', 'sklearn', 'IPython'}\n"
        "sys.exit(str(slow & set(sys.modules)) if slow & set(sys.modules) else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_number_of_seeds_is_answered_with_the_range_that_was_meant() -> None:
    claim = Claim("b beats a", control="a", treatment="b", metric="score", smallest_effect=1)
    with pytest.raises(TypeError, match=r"seeds are several numbers, got 8: pass seeds=range\(8\)"):
        claim.run({"a": float, "b": float}, seeds=8)  # type: ignore[arg-type]
