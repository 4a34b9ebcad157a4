"""Self-training and active learning on points whose structure is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from llmtrain101.labels import active
from llmtrain101.labels.self_training import self_train


def blobs(seed: int, n: int = 200, apart: float = 4.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    return rng.normal(size=(n, 2)) + apart * y[:, None], np.array(["low", "high"])[y]


class OneNear(KNeighborsClassifier):
    """The nearest neighbour, which is the less sure the farther away it is."""

    def predict_proba(self, X: Any) -> np.ndarray:
        away = self.kneighbors(X)[0]
        return 0.5 + (super().predict_proba(X) - 0.5) * np.exp(-away)


def test_sure_neighbours_carry_a_label_round_the_whole_ring() -> None:
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], 1)
    X, y = np.concatenate([circle, 3 * circle]), np.repeat([0, 1], 120)
    seeds = [0, 120]  # one of each ring; much of the large one is nearer to the other's
    alone = OneNear(1).fit(X[seeds], y[seeds]).score(X, y)
    found = self_train(OneNear(1), X[seeds], y[seeds], X, threshold=0.85, rounds=99, gold=y)
    assert alone < 0.7 and found.classifier.score(X, y) == 1
    assert found.history["coverage"].is_monotonic_increasing


def test_the_history_is_what_the_labels_say() -> None:
    X, y = blobs(0)
    few = [*np.nonzero(y == "low")[0][:3], *np.nonzero(y == "high")[0][:3]]
    rest = np.setdiff1d(np.arange(len(y)), few)
    found = self_train(LogisticRegression(), X[few], y[few], X[rest], threshold=0.9, gold=y[rest])
    last = found.history.iloc[-1]
    assert last.coverage == found.chosen.mean() > found.history.coverage[0]
    assert last.accuracy == (found.labels == y[rest])[found.chosen].mean() > 0.95
    assert found.history.confidence.between(0.9, 1).all()
    assert found.classifier.score(X, y) > 0.95


def test_gold_is_only_looked_at() -> None:
    X, y = blobs(1, apart=1.0)
    with_gold = self_train(LogisticRegression(), X[:10], y[:10], X[10:], gold=y[10:])
    without = self_train(LogisticRegression(), X[:10], y[:10], X[10:])
    np.testing.assert_array_equal(with_gold.classifier.coef_, without.classifier.coef_)
    assert without.history.accuracy.isna().all()


def test_the_classifier_given_is_left_alone_and_sparse_is_as_dense() -> None:
    X, y = blobs(2)
    given = LogisticRegression()
    dense = self_train(given, X[:10], y[:10], X[10:], threshold=0.8)
    thin = self_train(
        given, sparse.csr_matrix(X[:10]), y[:10], sparse.csr_matrix(X[10:]), threshold=0.8
    )
    assert not hasattr(given, "coef_")
    np.testing.assert_allclose(dense.classifier.coef_, thin.classifier.coef_, atol=1e-4)


def test_a_threshold_that_nothing_reaches_leaves_the_first_classifier() -> None:
    X, y = blobs(3)
    found = self_train(LogisticRegression(), X[:10], y[:10], X[10:], threshold=1.0)
    alone = LogisticRegression().fit(X[:10], y[:10])
    np.testing.assert_array_equal(found.classifier.coef_, alone.coef_)
    assert found.history.coverage.tolist() == [0.0] and not found.chosen.any()


def test_it_stops_where_nothing_changes_any_more() -> None:
    X, y = blobs(4, apart=8.0)
    found = self_train(LogisticRegression(), X[:20], y[:20], X[20:], threshold=None, rounds=50)
    assert len(found.history) < 10


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"threshold": 90}, "threshold"),
        ({"rounds": 0}, "rounds"),
        ({"gold": [1]}, "gold, if it is given"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], said: str) -> None:
    X, y = blobs(5)
    with pytest.raises(ValueError, match=said):
        self_train(LogisticRegression(), X[:10], y[:10], X[10:], **settings)


# --- active learning ---


def test_with_two_classes_margin_and_entropy_ask_in_the_same_order() -> None:
    p = np.random.default_rng(0).random(50)
    chances, rng = np.stack([p, 1 - p], 1), np.random.default_rng(0)
    by_margin = active.margin(chances, None, rng).argsort()
    assert by_margin.tolist() == active.entropy(chances, None, rng).argsort().tolist()


def test_margin_looks_at_two_classes_and_entropy_at_all() -> None:
    two, spread = [0.5, 0.49, 0.01], [0.4, 0.3, 0.3]
    rng = np.random.default_rng(0)
    assert active.margin([two, spread], None, rng).argmax() == 0
    assert active.entropy([two, spread], None, rng).argmax() == 1


def test_density_passes_over_the_odd_one_out() -> None:
    X = np.concatenate([np.tile([1.0, 0.0], (9, 1)), [[0.0, 1.0]]])
    chances, rng = [[0.6, 0.4]] * 9 + [[0.5, 0.5]], np.random.default_rng(0)
    assert active.entropy(chances, X, rng).argmax() == 9
    assert active.density(chances, X, rng).argmax() != 9
    thin = active.density(chances, sparse.csr_matrix(X), rng)
    np.testing.assert_allclose(thin, active.density(chances, X, rng))


def test_margin_finds_the_border_that_random_questions_miss() -> None:
    X = np.linspace(0, 1, 401)[:, None]
    y = (X[:, 0] > 0.73).astype(int)
    found = {}
    for name in ("random", "margin"):
        errors = []
        for seed in range(5):
            models: list[Any] = []
            active.learn(
                LogisticRegression(C=1e4), X, lambda place: y[place], [0, 400],
                active.STRATEGIES[name], n_labels=14, batch=2, rng=np.random.default_rng(seed),
                watch=lambda model, asked, into=models: into.append(model),
            )  # fmt: skip
            errors.append(1 - models[-1].score(X, y))
        found[name] = np.mean(errors)
    assert found["margin"] < found["random"] / 2


@pytest.mark.parametrize("name", list(active.STRATEGIES))
def test_every_place_is_asked_about_at_most_once_and_no_more_than_allowed(name: str) -> None:
    X, y = blobs(0, n=60)
    asked: list[int] = []

    def ask(place: int) -> Any:
        asked.append(place)
        return y[place]

    settings: dict[str, Any] = {"n_labels": 60, "batch": 7}
    runs = [
        active.learn(LogisticRegression(), X, answer, [3, 1], active.STRATEGIES[name],
                     rng=np.random.default_rng(1), **settings)
        for answer in (ask, lambda place: y[place])
    ]  # fmt: skip
    assert runs[0] == runs[1] == asked
    assert sorted(asked) == list(range(60)) and asked[:2] == [3, 1]


def test_it_asks_at_random_until_there_are_two_labels() -> None:
    X, y = np.arange(30.0)[:, None], [0] * 29 + [1]
    seen: list[int] = []
    asked = active.learn(
        LogisticRegression(), X, lambda place: y[place], [0], active.margin, n_labels=30, batch=5,
        rng=np.random.default_rng(0), watch=lambda model, places: seen.append(len(places)),
    )  # fmt: skip
    assert len(asked) == 30 and seen[0] > asked.index(29)


@pytest.mark.parametrize(
    "change",
    [
        *({"first": []}, {"n_labels": 99}, {"batch": 0}, {"n_labels": 1}),
        *({"first": [0, 0]}, {"first": [0, 20]}, {"first": [-1, 0]}),
    ],
)
def test_numbers_that_do_not_fit_the_pool_are_refused(change: dict[str, Any]) -> None:
    X, y = blobs(0, n=20)
    settings: dict[str, Any] = {"first": [0, 1], "n_labels": 10, "batch": 2} | change
    asked: list[int] = []
    with pytest.raises(ValueError, match="first places"):
        active.learn(
            LogisticRegression(), X, lambda place: asked.append(place) or y[place],
            strategy=active.margin, rng=np.random.default_rng(0), **settings,
        )  # fmt: skip
    assert asked == []  # no label is spent


def test_nothing_is_chosen_after_the_last_label() -> None:
    X, y = blobs(0, n=40)
    pools: list[int] = []

    def strategy(chances: Any, vectors: Any, rng: np.random.Generator) -> Any:
        pools.append(len(vectors))
        return active.margin(chances, vectors, rng)

    first = [*np.nonzero(y == "low")[0][:1], *np.nonzero(y == "high")[0][:1]]
    active.learn(
        LogisticRegression(), X, lambda place: y[place], first, strategy, n_labels=10, batch=4,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert pools == [38, 34]
