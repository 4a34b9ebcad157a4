"""Data sheets: complete, readable, and what the page on the web says."""

from pathlib import Path

import pytest

from llmtrain101 import sources

PAGE = Path(__file__).parent.parent / "docs" / "data.md"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("LLMTRAIN101_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def without_counts(page: str) -> list[str]:
    return [line for line in page.splitlines() if not line.startswith("- **Counted**")]


def test_the_page_is_what_the_sheets_say():
    page = PAGE.read_text(encoding="utf-8")
    assert without_counts(page) == sources.data_page().splitlines(), (
        "run: python -m llmtrain101.sources docs/data.md"
    )
    assert page.count("- **Counted**") == len(sources.SOURCES)


def test_every_source_has_a_sheet_that_says_all():
    for name in sources.SOURCES:
        assert callable(getattr(sources, name))
        sheet = sources.data_sheet(name)
        for field in ("title", "what", "how_much", "licence", "origin", "how_to_split"):
            assert len(getattr(sheet, field)) > 3, (name, field)
        assert sheet.traps and sheet.versions and sheet.counts is None


def test_a_sheet_prints_without_marks_and_shows_as_markdown_in_a_notebook():
    sheet = sources.data_sheet("ratings")
    printed = str(sheet)
    assert "**" not in printed and "`" not in printed and not printed.startswith("#")
    assert printed.startswith("sources.ratings(): how positive")
    assert sheet._repr_markdown_().startswith("## `sources.ratings()`")
    assert all(trap in sheet._repr_markdown_() for trap in sheet.traps)


@pytest.mark.parametrize(
    "name",
    [
        "manual", "ratings", "translations", "digits", "reviews", "review_guidelines", "questions",
        "pairs",
    ],
)  # fmt: skip
def test_counts_are_of_what_is_here(name):
    sheet = sources.data_sheet(name, count=True)
    table = getattr(sources, name)()
    size = len(table.labels) if name == "digits" else len(table)
    assert next(iter(sheet.counts.values())) == size
    assert f"{size:,}" in str(sheet) and "Counted with" in str(sheet)


def test_the_sheet_of_the_docstrings_counts_what_is_read(monkeypatch):
    from llmtrain101.sources import _sheets

    small = sources.docstrings("json", show=False)
    monkeypatch.setattr(_sheets, "docstrings", lambda: small)
    counts = sources.data_sheet("docstrings", count=True).counts
    assert counts["texts"] == len(small) and counts["modules"] == small.module.nunique()
    assert counts["groups of near-duplicates"] <= counts["different texts"] <= counts["texts"]
    assert counts["texts with a near-duplicate in another package"] == 0


def test_an_unknown_source_is_answered_with_those_there_are():
    with pytest.raises(ValueError, match="no source 'tweets'; expected one of docstrings, manual"):
        sources.data_sheet("tweets")


def test_the_public_names_are_sorted_there_and_documented():
    names = sources.__all__
    constants = [name for name in names if name.isupper()]
    assert names == sorted(names, key=lambda name: (not name.isupper(), name))
    assert all(getattr(sources, name).__doc__ for name in names if name not in constants)
