"""A few hundred broken inputs a reader; `benchmarks/fuzz_formats.py` runs 200,000."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def script() -> ModuleType:
    path = Path(__file__).resolve().parent.parent / "benchmarks" / "fuzz_formats.py"
    spec = importlib.util.spec_from_file_location("fuzz_formats", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FUZZ = script() if sys.platform != "win32" else None  # `resource` is not there


@pytest.mark.skipif(FUZZ is None, reason="measures memory as Unix does")
@pytest.mark.parametrize("reader", FUZZ.READERS if FUZZ else [])
def test_broken_input_gives_rows_or_an_error_that_names_the_file(reader: str) -> None:
    assert FUZZ is not None
    counts = FUZZ.fuzz(reader, 200, seed=1)
    assert counts["rows"] + counts["error"] == 200
    assert counts["rows"] and counts["error"], "both must occur, else the sample tests nothing"
