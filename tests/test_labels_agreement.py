"""Agreement, votes and F1: equal to the libraries that people cite, on any table."""

from __future__ import annotations

import math
import warnings
from typing import Any

import krippendorff
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.metrics.agreement import AnnotationTask
from sklearn.metrics import cohen_kappa_score, precision_recall_fscore_support

from llmtrain101 import evaluate, seeds, sources
from llmtrain101.labels import agreement, crowd

SOME = settings(max_examples=60, deadline=None)  # a first call may import for seconds
VALUES = ["a", "b", "c", "d"]


def tables(values: list[Any], missing: bool = True) -> st.SearchStrategy[list[list[Any]]]:
    """Tables of 1 to 8 items by 2 to 5 raters; few values, so that ties abound."""
    cells = st.sampled_from([*values, *([None] * 2 if missing else [])])
    shapes = st.tuples(st.integers(1, 8), st.integers(2, 5))
    return shapes.flatmap(
        lambda shape: st.lists(
            st.lists(cells, min_size=shape[1], max_size=shape[1]),
            min_size=shape[0],
            max_size=shape[0],
        )
    )


def same(ours: float, theirs: float) -> bool:
    return (math.isnan(ours) and math.isnan(theirs)) or math.isclose(ours, theirs, abs_tol=1e-9)


# --- agreement ------------------------------------------------------------------------------------


@SOME
@given(tables([1, 2, 3, 5, 9]), st.sampled_from(agreement.LEVELS))
def test_alpha_is_that_of_krippendorff(table: list[list[Any]], level: str) -> None:
    ours = agreement.alpha(table, level)
    rows = np.array(table, dtype=float)
    paired = rows[(~np.isnan(rows)).sum(1) > 1]
    if len(np.unique(paired[~np.isnan(paired)])) < 2:  # theirs refuses, or divides by 0
        assert math.isnan(ours)
        return
    theirs = krippendorff.alpha(rows.T, level_of_measurement=level)
    assert same(ours, theirs)


@SOME
@given(tables(VALUES))
def test_alpha_of_names_is_that_of_nltk(table: list[list[Any]]) -> None:
    ours = agreement.alpha(table)
    paired = [row for row in table if sum(cell is not None for cell in row) > 1]
    if len({cell for row in paired for cell in row if cell is not None}) < 2:
        assert math.isnan(ours)
        return
    ratings = [
        (rater, item, cell)
        for item, row in enumerate(paired)
        for rater, cell in enumerate(row)
        if cell is not None
    ]
    assert same(ours, AnnotationTask(ratings).alpha())


@SOME
@given(tables(VALUES, missing=False))
def test_fleiss_is_multi_pi_of_nltk(table: list[list[Any]]) -> None:
    ours = agreement.fleiss(table)
    if len({cell for row in table for cell in row}) < 2:
        assert math.isnan(ours)
        return
    ratings = [(r, i, cell) for i, row in enumerate(table) for r, cell in enumerate(row)]
    assert same(ours, AnnotationTask(ratings).pi())


def test_fleiss_is_that_of_his_paper_as_retold_with_ten_items_and_fourteen_raters() -> None:
    counted = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
    table = [np.repeat(np.arange(1, 6), row) for row in counted]
    assert round(agreement.fleiss(table), 3) == 0.210


@SOME
@given(tables([1, 2, 3, 4]), st.sampled_from([None, "linear", "quadratic"]))
def test_cohen_is_that_of_scikit_learn(table: list[list[Any]], weights: str | None) -> None:
    first, second = [row[0] for row in table], [row[1] for row in table]
    both = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    ours = agreement.cohen(first, second, weights=weights)
    if not both:
        assert math.isnan(ours)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs warns where both used one value only
        theirs = cohen_kappa_score(*zip(*both, strict=True), weights=weights)
    assert same(ours, theirs)


@SOME
@given(tables(VALUES))
def test_percent_counts_pairs(table: list[list[Any]]) -> None:
    items = []
    for row in table:
        said = [cell for cell in row if cell is not None]
        pairs = [(a, b) for place, a in enumerate(said) for b in said[place + 1 :]]
        items += [sum(a == b for a, b in pairs) / len(pairs)] if pairs else []
    assert same(agreement.percent(table), sum(items) / len(items) if items else math.nan)


def test_all_agree_on_real_ratings_of_ten_people() -> None:
    table = sources.ratings().filter(like="rating_").to_numpy()[:2000]
    for level in agreement.LEVELS:
        theirs = krippendorff.alpha(table.T, level_of_measurement=level)
        assert same(agreement.alpha(table, level), theirs)
    ratings = [(r, i, cell) for i, row in enumerate(table[:100]) for r, cell in enumerate(row)]
    assert same(agreement.fleiss(table[:100]), AnnotationTask(ratings).pi())


def test_blind_raters_are_at_chance_and_echoes_agree_wholly() -> None:
    blind = seeds.rng(0, "blind").choice(["a", "b", "c"], (4_000, 3), p=[0.7, 0.2, 0.1])
    assert agreement.percent(blind) > 0.5  # what plain agreement takes for a success
    for value in (
        agreement.fleiss(blind),
        agreement.alpha(blind),
        agreement.cohen(blind[:, 0], blind[:, 1]),
    ):
        assert abs(value) < 0.05  # its deviation is below 0.02: false alarm below 1 in 80
    echo = blind[:, [0, 0, 0]]
    assert agreement.alpha(echo) == agreement.fleiss(echo) == 1


def test_missing_ratings_are_none_nan_or_pandas_na() -> None:
    rows = [["a", "a", "b"], ["b", "b", None], ["a", "b", "a"]]
    frame = pd.DataFrame(rows, columns=["ada", "bob", "eve"])
    expected = agreement.alpha(rows)
    assert agreement.alpha(frame) == expected
    assert agreement.alpha(frame.astype("string")) == expected
    assert agreement.alpha(frame.fillna(np.nan)) == expected
    assert agreement.alpha(frame.astype("category")) == expected


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: agreement.fleiss([["a", "b"], ["a", None]]), r"1 to 2. alpha\(\) takes missing"),
        (lambda: agreement.alpha([["a", "b"]], "interval"), "needs numbers"),
        (lambda: agreement.alpha([["a", "b"]], "ordinal"), "the order of the alphabet"),
        (lambda: agreement.alpha([["a", "b"]], "ratio"), "nominal, ordinal, interval"),
        (lambda: agreement.alpha(["a", "b"]), "a row for each item"),
        (lambda: agreement.alpha([["a", 1]]), "partly text"),
        (lambda: agreement.cohen(["a"], ["a", "b"]), "the same items"),
        (lambda: agreement.cohen(["a"], ["b"], weights="cubic"), "linear"),
        (lambda: agreement.cohen(["a"], ["b"], weights="linear"), "the order of the alphabet"),
        (lambda: agreement.between(["a", "b"]), "a row for each item"),
    ],
)
def test_a_wrong_call_says_what_to_do(call: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call()


def test_who_disagrees_on_what_is_found() -> None:
    rng = seeds.rng(0, "people")
    truth = rng.choice(["good", "bad"], 300)
    other = np.where(truth == "good", "bad", "good")
    table = pd.DataFrame(
        {
            "ada": truth,
            "bob": np.where(rng.random(300) < 0.05, other, truth),
            "eve": np.where(rng.random(300) < 0.5, other, truth),
        },
        index=[f"t{number}" for number in range(300)],
    )
    kappa = agreement.between(table)
    assert kappa.loc["ada", "bob"] > 0.8 > 0.2 > kappa.loc["ada", "eve"]
    found = agreement.disagreements(table)
    assert found["agreement"].is_monotonic_increasing and len(found) == 300
    first = table.loc[found.index[0]]
    assert sorted(first.value_counts()) == [1, 2]
    most = first.mode()[0]
    other_one = "good" if most == "bad" else "bad"
    assert found["ratings"].iloc[0] == f"2 {most}, 1 {other_one}"
    meets = agreement.confusions(table)
    assert np.allclose(meets.sum(axis=1), 1)
    assert meets.loc["good", "good"] > meets.loc["good", "bad"] > 0.2


# --- votes ----------------------------------------------------------------------------------------


def long(table: list[list[Any]]) -> pd.DataFrame:
    rows = [
        {"task": item, "worker": rater, "label": cell}
        for item, row in enumerate(table)
        for rater, cell in enumerate(row)
        if cell is not None
    ]
    return pd.DataFrame(rows, columns=["task", "worker", "label"])


@SOME
@given(tables(VALUES))
@pytest.mark.filterwarnings("ignore")  # crowd-kit's own pandas calls warn
def test_majority_is_that_of_crowd_kit_where_it_is_unique(table: list[list[Any]]) -> None:
    from crowdkit.aggregation import MajorityVote

    votes = long(table)
    if votes.empty:
        assert crowd.majority(table).isna().all() and crowd.shares(table).shape == (len(table), 0)
        return
    theirs = MajorityVote().fit_predict_proba(votes)
    ours = crowd.shares(table)
    assert np.allclose(ours.loc[theirs.index, theirs.columns], theirs)
    for item, label in crowd.majority(table).items():
        if item not in theirs.index:
            assert label is None
            continue
        best = theirs.loc[item]
        winners = sorted(best[np.isclose(best, best.max())].index)
        assert label == (winners[0] if len(winners) == 1 else None)
        assert crowd.majority(table, ties="first")[item] == winners[0]
        drawn = crowd.majority(table, ties="random", rng=seeds.rng(0, "ties"))[item]
        assert drawn in winners


def test_lots_fall_on_each_of_the_tied() -> None:
    drawn = crowd.majority([["a", "b", "c", "c", "b"]] * 400, ties="random", rng=seeds.rng(0, "x"))
    counts = drawn.value_counts()
    # 400 fair coins: 140 to 260 but for 1 in 10^8
    assert set(counts.index) == {"b", "c"} and counts.min() > 140
    with pytest.raises(ValueError, match="pass rng="):
        crowd.majority([["a", "b"]], ties="random")
    with pytest.raises(ValueError, match="none"):
        crowd.majority([["a", "b"]], ties="last")


@SOME
@given(tables(VALUES), st.integers(1, 12))
@pytest.mark.filterwarnings("ignore")
def test_dawid_skene_is_that_of_crowd_kit(table: list[list[Any]], rounds: int) -> None:
    from crowdkit.aggregation import DawidSkene

    votes = long(table)
    if votes.empty:
        with pytest.raises(ValueError, match="no rating"):
            crowd.dawid_skene(table)
        with pytest.raises(ValueError, match="max_rounds must be at least 1, got 0"):
            crowd.dawid_skene(table, max_rounds=0)
        return
    theirs = DawidSkene(n_iter=rounds, tol=-np.inf).fit(votes)
    ours = crowd.dawid_skene(table, max_rounds=rounds, tolerance=-np.inf)
    assert theirs.probas_ is not None and ours.rounds == rounds
    expected = theirs.probas_
    found = ours.probabilities.loc[expected.index, expected.columns]
    assert np.allclose(found, expected, atol=1e-6)
    silent = [item for item in range(len(table)) if item not in expected.index]
    assert ours.probabilities.loc[silent].isna().all(axis=None)
    assert ours.labels.loc[silent].isna().all()


@pytest.mark.filterwarnings("ignore")
def test_dawid_skene_stops_where_crowd_kit_stops_and_finds_the_same_errors() -> None:
    from crowdkit.aggregation import DawidSkene

    rng = seeds.rng(1, "people")
    truth = rng.integers(0, 3, 200)
    quality = [0.9, 0.8, 0.4, 0.7]
    table = [
        [
            None
            if rng.random() < 0.2
            else VALUES[answer if rng.random() < right else rng.integers(3)]
            for right in quality
        ]
        for answer in truth
    ]
    theirs = DawidSkene().fit(long(table))
    ours = crowd.dawid_skene(table)
    assert ours.rounds == len(theirs.loss_history_)
    assert np.allclose(ours.frequencies.loc[theirs.priors_.index], theirs.priors_)
    assert theirs.errors_ is not None
    for rater, errors in ours.errors.items():
        assert np.allclose(errors.sum(axis=1), 1)
        expected = theirs.errors_.loc[rater]  # said by true
        assert np.allclose(errors.loc[expected.columns, expected.index].T, expected, atol=1e-6)
    right = [ours.errors[rater].to_numpy().diagonal().mean() for rater in range(4)]
    assert np.argsort(right).tolist() == np.argsort(quality).tolist()


def test_a_bad_majority_is_outvoted_by_the_one_who_is_consistent() -> None:
    rng = seeds.rng(2, "people")
    truth = rng.integers(0, 2, 500)
    good = [np.where(rng.random(500) < 0.9, truth, 1 - truth) for _ in range(2)]
    coins = [rng.integers(0, 2, 500) for _ in range(3)]
    table = np.stack([*good, *coins], 1)
    votes = crowd.majority(table, ties="first").to_numpy(int)
    weighed = crowd.dawid_skene(table).labels.to_numpy(int)
    assert evaluate.accuracy(truth, weighed) > evaluate.accuracy(truth, votes) + 0.05


# --- which columns are raters ---------------------------------------------------------------------


def five(n: int = 12, **more: Any) -> list[dict[str, Any]]:
    people = ("ada", "bob", "cy", "dot", "eve")
    return [
        {who: "yes" if (row + at) % 3 else "no" for at, who in enumerate(people)}
        | {name: make(row) for name, make in more.items()}
        for row in range(n)
    ]


def test_texts_lists_and_empty_columns_are_no_raters() -> None:
    rows = five(text=lambda n: f"review {n}", parts=lambda n: ["a"], later=lambda n: None)
    found = agreement.ratings(rows, least=5)
    assert list(found) == ["ada", "bob", "cy", "dot", "eve"]
    assert found.attrs["left_out"] == ["text", "parts", "later"]
    again = agreement.ratings(found, least=5)  # a table, as of a store, is as good as rows
    assert agreement.alpha(again) == agreement.alpha([list(row.values())[:5] for row in five()])


def test_a_gap_is_a_missing_rating_and_a_row_of_gaps_no_text() -> None:
    rows = five() + [dict.fromkeys(five(1)[0], None)]
    rows[0]["ada"] = None
    found = agreement.ratings(rows)
    assert len(found) == 12 and found.loc[0, "ada"] is None


def test_some_raters_are_held_against_others_of_the_same_text() -> None:
    rng = seeds.rng(0, "table")
    right = rng.random((4000, 9)) < 0.8  # independent; nine, so that gaps leave enough
    table = np.where(rng.random(right.shape) < 0.2, None, np.where(right, "yes", "no"))
    one, three = (crowd.against_others(table, n, rng=seeds.rng(1, "hands")) for n in (1, 3))
    assert 0.75 < one < 0.8 < three  # a gap is no mistake; the others err too
    for wrong in (4, 0, -1):
        with pytest.raises(ValueError, match=f"{wrong} raters of 3, and 3"):
            crowd.against_others(table, wrong, rng=rng)
    assert math.isnan(crowd.against_others([list("abcde")], 1, rng=rng))  # the others are tied
    with pytest.raises(ValueError, match="0 texts with 5 ratings"):
        crowd.against_others([["a", "b"]], 1, rng=rng)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "Raters are none of 0 rows. At least 5"),
        (
            [{"text": f"review {n}", "ada": n % 2} for n in range(9)],
            "Raters are ada of 9 rows; text: empty",
        ),
        (five(4), "Ten texts with 5 ratings are needed, here are 4"),
        ([dict.fromkeys("abcde", "yes")] * 12, "All ratings are the same"),
        (pd.DataFrame(index=range(60)), "Raters are none of 60 rows"),  # a store nobody labelled
    ],
)
def test_what_cannot_be_compared_is_refused_with_what_was_found(rows: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        agreement.ratings(rows, least=5)


# --- F1 -------------------------------------------------------------------------------------------


@SOME
@given(st.lists(st.tuples(st.sampled_from(VALUES), st.sampled_from(VALUES)), min_size=1))
def test_f1_of_each_class_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    labels, predictions = map(list, zip(*pairs, strict=True))
    ours = agreement.class_f1(labels, predictions)
    theirs = precision_recall_fscore_support(
        labels, predictions, labels=list(ours.index), zero_division=0.0
    )
    assert np.allclose(ours.to_numpy(float).T, np.array(theirs, dtype=float))
    assert same(ours["f1"].mean(), evaluate.macro_f1(labels, predictions))


TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
SENTENCES = st.lists(
    st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), min_size=1, max_size=8),
    min_size=1,
    max_size=4,
)


@SOME
@given(SENTENCES)
@pytest.mark.filterwarnings("ignore")
def test_f1_of_entities_is_that_of_seqeval(pairs: list[list[tuple[str, str]]]) -> None:
    from seqeval.metrics import classification_report, f1_score

    labels = [[a for a, _ in sentence] for sentence in pairs]
    predictions = [[b for _, b in sentence] for sentence in pairs]
    ours = agreement.entity_f1(labels, predictions)
    assert same(ours.loc["all", "f1"], f1_score(labels, predictions, zero_division=0))
    if len(ours) > 1:
        theirs = classification_report(labels, predictions, output_dict=True, zero_division=0)
        for kind in ours.index[:-1]:
            expected = [theirs[kind][x] for x in ("precision", "recall", "f1-score", "support")]
            assert np.allclose(ours.loc[kind].to_numpy(float), expected)


def test_tags_that_are_none_are_named() -> None:
    with pytest.raises(ValueError, match="Tag 1 must be O, B-TYPE or I-TYPE, got 'E-PER'"):
        agreement.entities(["O", "E-PER"])
    with pytest.raises(ValueError, match="Sentence 0 has 1 tags and 2"):
        agreement.entity_f1([["O"]], [["O", "O"]])
    with pytest.raises(ValueError, match="As many labels"):
        agreement.class_f1(["a"], [])
