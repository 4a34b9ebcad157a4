"""Tasks: the learners are what their references say, parts share nothing, files are understood."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
import sacrebleu

from llmtrain101 import seeds, sources, tasks

PAIRS = {
    "the cell": "la cellule",
    "the file": "le fichier",
    "a file": "un fichier",
    "a cell": "une cellule",
    "the old file": "le vieux fichier",
}
SHARED = Path(__file__).parent.parent.parent / "shared" / "data"
shared = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is not here")


def by_dictionaries(rounds: int) -> dict[str, dict[str, float]]:
    """IBM model 1 as the textbook writes it."""
    chance: defaultdict[tuple[str, str], float] = defaultdict(lambda: 1.0)
    for _ in range(rounds):
        counted: Counter[tuple[str, str]] = Counter()
        total: Counter[str] = Counter()
        for english, french in PAIRS.items():
            words = ["", *english.split()]
            for fr in french.split():
                among = sum(chance[word, fr] for word in words)
                for word in words:
                    counted[word, fr] += chance[word, fr] / among
                    total[word] += chance[word, fr] / among
        chance = defaultdict(float, {key: n / total[key[0]] for key, n in counted.items()})
    found: dict[str, dict[str, float]] = {}
    for (word, fr), value in chance.items():
        found.setdefault(word, {})[fr] = value
    return found


@pytest.mark.parametrize("rounds", [1, 8])
def test_the_dictionary_is_that_of_the_textbook(rounds: int) -> None:
    expected = by_dictionaries(rounds)
    found = tasks.Dictionary(rounds=rounds).fit(list(PAIRS), list(PAIRS.values())).entries
    assert set(found) == set(expected)
    for word, mots in expected.items():
        assert found[word] == pytest.approx(mots, abs=1e-12)
        assert list(found[word].values()) == sorted(found[word].values(), reverse=True)
        assert sum(found[word].values()) == pytest.approx(1)


def test_it_translates_what_it_knows_and_copies_the_rest() -> None:
    dictionary = tasks.Dictionary().fit(list(PAIRS), list(PAIRS.values()))
    assert dictionary.predict(["A file, Jupyter!", "", "cell"]) == [
        "Un fichier , Jupyter !",
        "",
        "cellule",
    ]
    assert tasks.Dictionary().fit([], []).predict(["A b"]) == ["A b"]


def test_scores() -> None:
    french, copy = list(PAIRS.values()), list(PAIRS)
    assert tasks.score("pairs", copy, french) == sacrebleu.corpus_chrf(copy, [french]).score
    assert tasks.score("texts", np.array(["a", "b", "b"]), ["a", "b", "c"]) == pytest.approx(2 / 3)
    with pytest.raises(ValueError):
        tasks.score("texts", ["a"], ["a", "b"])


def moods(n: int) -> tasks.Task:
    rng = seeds.rng(0, "moods")
    words = {"+": ["fine", "good", "great"], "-": ["bad", "poor", "sad"]}
    labels = ["+" if rng.random() < 0.6 else "-" for _ in range(n)]
    texts = [
        f"{rng.choice(words[label])} {i} {rng.integers(1e9)}" for i, label in enumerate(labels)
    ]
    return tasks.split("moods", "texts", texts, labels, seed=0)


def test_labels_teach_and_shuffled_ones_do_not() -> None:
    task = moods(600)
    assert len(task.train[0]) == pytest.approx(420, abs=3)
    frequent = Counter(task.train[1].tolist()).most_common(1)[0][0]
    assert task.baseline() == np.mean(task.test[1] == frequent)
    assert task.learn(0, 100) > 0.95
    shuffled = [task.learn(seed, 100, shuffled=True) for seed in range(5)]
    assert np.mean(shuffled) < 0.7
    assert task.learn(0, 100) == task.learn(0, 100)
    assert len({task.learn(seed, 5) for seed in range(8)}) > 1  # another seed, another draw
    with pytest.raises(ValueError, match="from 1 to the 4.. for training, got 5000"):
        task.learn(0, 5_000)


def test_one_label_only_is_no_error() -> None:
    task = moods(60)
    assert 0 < task.learn(0, 1) < 1
    rows = np.random.default_rng(0).normal(size=(40, 2))
    labels = np.array([0] * 38 + [1] * 2)
    table = tasks.Task(name="t", kind="table", train=(rows, labels), test=(rows, labels))
    assert table.learn(0, 1) in (38 / 40, 2 / 40)


def test_what_is_no_task_is_refused() -> None:
    one = np.array(["a"], object)
    with pytest.raises(ValueError, match="kind must be one of texts, pairs, table, got 'image'"):
        tasks.Task(name="x", kind="image", train=(one, one), test=(one, one))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="kind must be one of texts, pairs, table, got 'foo'"):
        tasks.learner("foo")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="test must have as many inputs as targets"):
        tasks.Task(name="x", kind="texts", train=(one, one), test=(one, one[:0]))


# --- files ----------------------------------------------------------------------------------------


def test_twins_stay_in_one_part(tmp_path: Path) -> None:
    lines = [
        f"{['ham', 'spam'][i % 2]}\tsee you at {i % 40} then, said {i % 40}" for i in range(200)
    ]
    (tmp_path / "mail.tsv").write_text("\n".join(lines), encoding="utf-8")
    task = tasks.read(tmp_path / "mail.tsv")
    assert not set(task.train[0]) & set(task.test[0])
    english = [f"sentence {i // 2} of {i // 2}\tphrase {i}" for i in range(80)]
    (tmp_path / "mine.en-fr.tsv").write_text("\n".join(english), encoding="utf-8")
    pairs = tasks.read(tmp_path / "mine.en-fr.tsv")
    assert pairs.kind == "pairs" and len(pairs.train[0]) + len(pairs.test[0]) == 80
    assert not set(pairs.train[0]) & set(pairs.test[0])  # split by the English side


def test_the_kind_is_seen(tmp_path: Path) -> None:
    rows = ["age,job,label"] + [f"{20 + i},{'ab'[i % 2]},{'yn'[i % 3 == 0]}" for i in range(60)]
    (tmp_path / "people.csv").write_text("\n".join(rows), encoding="utf-8")
    assert tasks.read(tmp_path / "people.csv").kind == "table"
    rows = ["en,fr"] + [f"word {i} here,fr {i} ici" for i in range(60)]
    (tmp_path / "own.csv").write_text("\n".join(rows), encoding="utf-8")
    found = tasks.read(tmp_path / "own.csv")
    assert found.kind == "pairs" and found.train[1][0].startswith("fr")
    assert tasks.read(tmp_path / "people.csv", kind="texts").kind == "texts"
    with pytest.raises(FileNotFoundError, match="There is no file"):
        tasks.read(tmp_path / "nothing.csv")


def test_a_file_that_was_written_anew_is_read_anew_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, asked = tmp_path / "own.csv", []
    real = tasks.labelled.read
    monkeypatch.setattr(
        tasks.labelled,
        "read",
        lambda path: asked.append(path) or real(path),  # type: ignore[func-returns-value]
    )
    rows = [f"word {i} of {i * i},{'ab'[i % 2]} {i} ici" for i in range(60)]
    path.write_text("\n".join(["en,fr", *rows]), encoding="utf-8")
    assert tasks.read(path).kind == "pairs" and not asked
    rows = [f"word {i} of {i * i},{'ab'[i % 2]}" for i in range(60)]
    path.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    assert tasks.read(path).kind == "texts" and asked == [path]


@shared
@pytest.mark.parametrize(
    ("name", "kind", "least"),
    [
        ("trec.train.txt", "texts", 0.3),
        ("sms_spam.tsv", "texts", 0.05),
        ("adult.csv", "table", 0.02),
        ("tatoeba.eng-fra.tsv", "pairs", 5),
    ],
)
def test_files_of_others_are_tasks(name: str, kind: str, least: float) -> None:
    task = tasks.read(SHARED / name)
    assert task.kind == kind
    learnt = np.mean([task.learn(seed, 300) for seed in range(3)])
    assert learnt > task.baseline() + least
    if kind != "table":
        assert not set(task.train[0]) & set(task.test[0])


def test_the_sets_of_the_course_are_tasks() -> None:
    from llmtrain101.sources import _natural

    for name, kind in (("reviews", "texts"), ("questions", "texts"), ("pairs.en-fr", "pairs")):
        assert tasks.read(_natural._place(f"{name}.csv")).kind == kind
    menus = sources.translations()
    assert (
        tasks.Task(
            name="menus",
            kind="pairs",
            train=(menus.english.to_numpy(object), menus.french.to_numpy(object)),
            test=(menus.english.to_numpy(object), menus.french.to_numpy(object)),
        ).baseline()
        < 40
    )
