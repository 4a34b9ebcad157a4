"""Splits: whole modules on one side, no twin on the other."""

import random

import pandas as pd
import pytest

from llmtrain101 import sources
from llmtrain101.sources import _docstrings

from .test_sources_near_duplicates import runs


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("LLMTRAIN101_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def made_table(seed=0, modules=60):
    """Modules of random sentences, with copies and near-copies from one module to another."""
    draw = random.Random(seed)
    words = [f"word{i}" for i in range(2_000)]
    rows = []
    for module in range(modules):
        for _ in range(draw.randint(1, 15)):
            if rows and draw.random() < 0.3:
                text = draw.choice(rows)[1].split()
                if draw.random() < 0.5:
                    text[draw.randrange(len(text))] = "changed"
            else:
                text = draw.choices(words, k=draw.randint(8, 40))
            rows.append((f"module{module}", " ".join(text)))
    return pd.DataFrame(rows, columns=["module", "text"])


def similarity(a, b):
    first, second = runs(a, 3), runs(b, 3)
    return len(first & second) / len(first | second)


def test_no_text_has_a_near_duplicate_in_another_part():
    table = made_table(modules=30)
    parts = sources.split(table, seed=0)
    texts = {part: table.text[parts == part].tolist() for part in ("train", "validation", "test")}
    for one, other in [("train", "test"), ("train", "validation"), ("validation", "test")]:
        worst = max(similarity(a, b) for a in texts[one] for b in texts[other])
        assert worst < 0.5
    naive = table.sample(frac=1, random_state=0).text.tolist()  # what a random split would do
    assert max(similarity(a, b) for a in naive[:40] for b in naive[40:]) == 1


def test_a_module_is_in_one_part_and_the_test_part_keeps_all_its_texts():
    table = made_table()
    table["part"] = sources.split(table, seed=0)
    kept = table[table.part != "dropped"]
    assert (kept.groupby("module").part.nunique() == 1).all()
    tested = kept.module[kept.part == "test"].unique()
    assert (table.part[table.module.isin(tested)] == "test").all()
    assert (table.part == "dropped").any()


def test_only_what_has_a_twin_elsewhere_is_dropped():
    table = made_table()
    parts = sources.split(table, seed=0)
    group = sources.near_duplicates(table.text)
    elsewhere = set(group[(parts != "dropped").to_numpy()].tolist())
    assert all(int(g) in elsewhere for g in group[(parts == "dropped").to_numpy()])


def test_the_shares_are_about_those_asked_for():
    table = made_table(modules=400)
    table["text"] = [f"{i} a{i} b{i}" for i in range(len(table))]  # no duplicates
    shares = sources.split(table, seed=0, fractions=(0.6, 0.3, 0.1)).value_counts(normalize=True)
    assert shares["train"] == pytest.approx(0.6, abs=0.02)
    assert shares["validation"] == pytest.approx(0.3, abs=0.02)
    assert shares["test"] == pytest.approx(0.1, abs=0.02)


def test_the_seed_decides_and_row_order_does_not():
    table = made_table()
    parts = sources.split(table, seed=0)
    assert parts.equals(sources.split(table, seed=0))
    assert not parts.equals(sources.split(table, seed=1))
    shuffled = table.sample(frac=1, random_state=1)
    assert sources.split(shuffled, seed=0).sort_index().equals(parts)


def test_modules_keep_their_part_when_the_table_grows():
    table = made_table(modules=200)
    table["text"] = [f"{i} a{i} b{i}" for i in range(len(table))]
    before = sources.split(table.iloc[:-50], seed=0)
    after = sources.split(table, seed=0).iloc[:-50]
    assert (before == after).mean() > 0.9  # a new draw would leave 66 %


def test_one_of_each_group_is_left_when_asked():
    table = made_table()
    group = sources.near_duplicates(table.text)
    parts = sources.split(table, seed=0, unique=True)
    kept = (parts != "dropped").to_numpy()
    assert sorted(group[kept]) == sorted(set(group.tolist()))
    with_copies = sources.split(table, seed=0)
    assert (with_copies[kept] == parts[kept]).all()


def test_without_a_column_nothing_is_dropped():
    table = made_table()
    parts = sources.split(table, seed=0, by=None)
    assert set(parts) == {"train", "validation", "test"}
    group = pd.Series(sources.near_duplicates(table.text))
    assert (parts.groupby(group).nunique() == 1).all()


def test_a_part_that_is_not_wanted_stays_empty_and_small_tables_fill_each():
    table = pd.DataFrame({"module": list("abc"), "text": ["one", "two", "three"]})
    assert sorted(sources.split(table, seed=3)) == ["test", "train", "validation"]
    assert set(sources.split(table, seed=0, fractions=(0.5, 0, 0.5))) == {"train", "test"}
    assert set(sources.split(table, seed=0, fractions=(1, 0, 0))) == {"train"}


def test_rows_without_a_module_are_one_more_module():
    table = pd.DataFrame({"module": ["a", None, "b", None], "text": ["1", "2", "3", "4"]})
    parts = sources.split(table, seed=0)
    assert parts[1] == parts[3] and parts.nunique() == 3


def test_the_index_is_kept():
    table = made_table()
    table.index = [f"row{i}" for i in range(len(table))]
    parts = sources.split(table, seed=0)
    assert parts.index.equals(table.index) and parts.name == "split"


def test_errors_say_what_to_do():
    table = pd.DataFrame({"module": ["a", "b"], "text": ["one", "two"]})
    with pytest.raises(ValueError, match="no text is left for .*2 values of 'module'"):
        sources.split(table, seed=0)
    with pytest.raises(ValueError, match="no text is left for 'train'.*0 texts"):
        sources.split(table.iloc[:0], seed=0)
    with pytest.raises(ValueError, match="sum to 1, got"):
        sources.split(table, seed=0, fractions=(0.5, 0.6, 0.1))
    with pytest.raises(ValueError, match="three numbers"):
        sources.split(table, seed=0, fractions=(0.5, 0.5))
    with pytest.raises(KeyError, match="no column 'file'; it has module, text"):
        sources.split(table, seed=0, by="file")


def test_pretraining_text_has_no_twins_at_all():
    parts = sources.pretraining_text(["email", "json"], seed=0, show=False)
    everything = [text for texts in parts.values() for text in texts]
    group = sources.near_duplicates(everything)
    assert len(set(group.tolist())) == len(everything) > 100
    assert all(parts.values())
    assert len(parts["train"]) > 4 * len(parts["test"])


def test_a_splits_packages_default_is_what_the_course_installs():
    assert set(_docstrings.DISTRIBUTIONS) < set(sources.PACKAGES)
