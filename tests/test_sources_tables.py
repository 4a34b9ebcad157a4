"""Manual, ratings, translations, digits: as installed, and from files made here."""

import json
import sys
import types

import numpy as np
import pytest

from llmtrain101 import sources


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A function that makes a package of the given name and files the one that is found."""

    def write(name: str, files: dict[str, str]) -> None:
        for path, content in {"__init__.py": "raise SystemExit('imported')", **files}.items():
            file = tmp_path / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.syspath_prepend(tmp_path)

    return write


def test_manual_is_prose_by_topic():
    table = sources.manual()
    assert table.topic.is_unique and table.topic.is_monotonic_increasing
    assert table.text.str.len().sum() > 300_000
    assert (table.text == table.text.str.strip()).all()
    # `help("lambda")` shows the same words
    text = table[table.topic == "lambda"].text.iloc[0]
    assert "anonymous functions" in " ".join(text.split())


def test_manual_that_is_not_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(ModuleNotFoundError, match="came without its manual"):
        sources.manual()


def test_manual_is_left_as_it_is_but_for_the_ends(monkeypatch):
    made = types.ModuleType("pydoc_data.topics")
    made.topics = {"b": "\nB\n*\n\n  x  y\n", "a": "A"}
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", made)
    assert sources.manual().values.tolist() == [["a", "A"], ["b", "B\n*\n\n  x  y"]]


def test_ratings_are_those_of_ten_people():
    table = sources.ratings()
    people = table.filter(like="rating_").to_numpy()
    assert people.shape == (len(table), 10) and len(table) > 7_000
    assert people.dtype == np.int64 and people.min() == -4 and people.max() == 4
    # the file's own mean and standard deviation, but for the few lines that the sheet admits
    assert (np.abs(people.mean(axis=1) - table["mean"]) < 0.051).mean() > 0.999
    assert (np.abs(people.std(axis=1) - table["sd"]) < 0.001).mean() > 0.999
    # the trap that the sheet tells: no word on which people cancelled out, none too disputed
    assert table["mean"].abs().min() > 0 and table["sd"].max() <= 2.5
    assert "vaderSentiment" not in sys.modules


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("word\t1.0\t0.5", "line 2"),
        ("word\t1.0\t0.5\t[1, 2]", "expected 10 ratings"),
        ("word\t1.0\t0.5\t[1, 1, 1, 1, 1, 1, 1, 1, 1, 7]", "from -4 to 4"),
        ("word\tx\t0.5\t[1, 1, 1, 1, 1, 1, 1, 1, 1, 1]", "could not convert"),
    ],
)
def test_a_bad_line_of_ratings_is_named(installed, line, wrong):
    good = "fine\t1.0\t0.0\t[1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    installed("vaderSentiment", {"vader_lexicon.txt": good + line + "\n"})
    with pytest.raises(ValueError, match=r"vader_lexicon.txt, line 2") as caught:
        sources.ratings()
    assert wrong in str(caught.value)


def test_ratings_of_no_package(installed):
    installed("vaderSentiment", {})
    with pytest.raises(ModuleNotFoundError, match="pip install vaderSentiment"):
        sources.ratings()


def test_translations_as_installed():
    table = sources.translations()
    assert len(table) > 2_500
    assert not table.duplicated(["english", "french"]).any()
    assert table.english.str.strip().ne("").all() and table.french.str.strip().ne("").all()
    assert not table.english.str.contains("\x04").any()
    for column in ("placeholder", "plural", "same"):
        assert table[column].dtype == bool and 0 < table[column].sum() < len(table) / 2
    assert (table.lines > 1).any() and (table.words == 1).any()
    assert table[table.english == "Cut"].french.str.contains("Couper").all()


def test_each_trap_of_the_translations(installed):
    pack = {
        "": {"domain": "made", "language": "fr-FR"},
        "Close": ["Fermer"],
        "menu\x04Close": ["Fermer"],  # the same pair in another place
        "Edit": ["Édition"],
        "menu\x04Edit": ["Modifier"],  # another French one
        "Empty": [""],
        "Nothing": [],
        "%1 cell": ["%1 cellule", "%1 cellules"],
        "\nFirst line\nsecond line": ["\nUne ligne\ndeux lignes"],
        "Python": ["Python"],
    }
    folder = "locale/fr_FR/LC_MESSAGES"
    installed(
        "jupyterlab_language_pack_fr_FR",
        {f"{folder}/made.json": json.dumps(pack), f"{folder}/second.json": '{"Close": ["Fermer"]}'},
    )
    table = sources.translations()
    columns = ["english", "french", "context", "words", "lines", "placeholder", "plural", "same"]
    assert table[columns].values.tolist() == [
        ["Close", "Fermer", "", 1, 1, False, False, False],
        ["Edit", "Édition", "", 1, 1, False, False, False],
        ["Edit", "Modifier", "menu", 1, 1, False, False, False],
        ["%1 cell", "%1 cellule", "", 2, 1, True, True, False],
        ["\nFirst line\nsecond line", "\nUne ligne\ndeux lignes", "", 4, 2, False, False, False],
        ["Python", "Python", "", 1, 1, False, False, True],
    ]
    assert set(table.component) == {"made"}


@pytest.mark.parametrize("content", ["{", "[]", '{"Close": 3}'])
def test_a_bad_file_of_translations_is_named(installed, content):
    installed("jupyterlab_language_pack_fr_FR", {"locale/fr_FR/LC_MESSAGES/bad.json": content})
    with pytest.raises(ValueError, match="bad.json is not a file of translations"):
        sources.translations()


def test_translations_of_no_package(installed):
    installed("jupyterlab_language_pack_fr_FR", {})
    with pytest.raises(ModuleNotFoundError, match="pip install jupyterlab-language-pack-fr-FR"):
        sources.translations()


def test_digits_are_images_with_labels():
    images, labels = sources.digits()
    assert images.shape == (len(labels), 8, 8) and images.dtype == np.float64
    assert labels.dtype == np.int64 and np.bincount(labels).min() > 150
    assert images.min() == 0 and images.max() == 16
    assert (images == images.astype(int)).all()
