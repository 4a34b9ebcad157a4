"""First paragraphs as a task: no name gives the label away, and nothing leaks across the parts."""

from __future__ import annotations

import pandas as pd
import pytest

from llmtrain101 import sources
from llmtrain101.sources import _paragraphs


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("LLMTRAIN101_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def test_names_go_and_other_words_stay():
    names = _paragraphs._any_name(["numpy", "pandas", "sklearn", "matplotlib"])
    text = "NumPy's np.ndarray, _numpy_x mpl_toolkits, pdf and plt: scikit-learn's inputs (pd)"
    assert names.sub("~", text) == "~'s ~.ndarray, ~ mpl_toolkits, pdf and ~: ~'s inputs (~)"


def test_the_task_is_whole():
    table = sources.first_paragraphs(["json", "email", "asyncio"], seed=1, show=False)
    assert set(table.split) == {"train", "validation", "test"}
    assert table.text.is_unique and not table.text.str.contains("\n").any()
    assert table.text.str.count(r"\S+").between(5, 100).all()
    assert (table.groupby("module").split.nunique() == 1).all()
    groups = pd.Series(sources.near_duplicates(table.text))
    assert groups.is_unique
    assert not table.text.str.contains("json|asyncio|email", case=False).any()


def test_names_stay_when_asked_for():
    table = sources.first_paragraphs(["json", "email", "asyncio"], seed=1, names=True, show=False)
    assert table.text.str.contains("json|asyncio|email", case=False).any()
