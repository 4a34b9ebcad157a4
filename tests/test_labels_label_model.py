"""The label model: crowd-kit's Dawid-Skene, a known truth found, and fooled by copies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from llmtrain101.labels.label_model import LabelModel
from llmtrain101.labels.rules import ABSTAIN, majority_vote


def world(
    seed: int, n: int, accuracies: list[float], k: int = 2, coverage: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Votes of rules that err independently, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    wrong = (truth[:, None] + rng.integers(1, k, (n, len(accuracies)))) % k
    votes = np.where(rng.random(wrong.shape) < accuracies, truth[:, None], wrong)
    return np.where(rng.random(votes.shape) < coverage, votes, ABSTAIN), truth


@pytest.mark.parametrize(("k", "coverage", "seed"), [(2, 1.0, 0), (2, 0.6, 1), (4, 0.7, 2)])
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_with_missing_votes_it_is_dawid_skene_as_crowd_kit_has_it(
    k: int, coverage: float, seed: int
) -> None:
    from crowdkit.aggregation import DawidSkene

    votes, _ = world(seed, 300, [0.9, 0.75, 0.7, 0.6, 0.55], k, coverage)
    votes = votes[(votes != ABSTAIN).any(1)]
    task, worker = np.nonzero(votes != ABSTAIN)
    table = pd.DataFrame({"task": task, "worker": worker, "label": votes[task, worker]})
    theirs = DawidSkene(n_iter=20, tol=-np.inf).fit_predict_proba(table).sort_index()
    ours = LabelModel(k, abstain="missing", smoothing=0, max_rounds=20).fit(votes)
    assert ours.rounds_ == 20
    np.testing.assert_allclose(ours.predict_proba(votes), theirs[list(range(k))], atol=1e-6)


@pytest.mark.parametrize("abstain", ["missing", "evidence"])
def test_it_finds_how_good_each_rule_is_and_beats_the_majority(abstain: str) -> None:
    accuracies = [0.95, 0.7, 0.65, 0.6, 0.6]  # one knows: the majority is worse than it
    votes, truth = world(0, 20_000, accuracies, coverage=0.8)
    model = LabelModel(2, abstain=abstain).fit(votes)
    np.testing.assert_allclose(model.accuracies(), accuracies, atol=0.04)
    right = (model.predict_proba(votes).argmax(1) == truth).mean()
    assert right > (majority_vote(votes, 2) == truth).mean() + 0.05


def test_rules_of_one_label_are_weighed_by_what_they_pass_over() -> None:
    rng = np.random.default_rng(0)
    truth = (rng.random(5_000) < 0.2).astype(int)
    speaks = np.array([[0.02, 0.05, 0.3, 0.4, 0.3], [0.5, 0.6, 0.5, 0.05, 0.03]])  # (K, m)
    votes = np.where(rng.random((len(truth), 5)) < speaks[truth], [1, 1, 1, 0, 0], ABSTAIN)
    model = LabelModel(2, balance=[0.8, 0.2]).fit(votes)
    chances = model.predict_proba(votes)
    assert (chances.argmax(1) == truth).mean() > 0.9
    assert model.accuracies().argmin() == 2  # speaks nearly as often where it is wrong
    said = (votes != ABSTAIN)[:, None]  # (n, 1, m)
    joint = np.where(said, speaks, 1 - speaks).prod(2) * [0.8, 0.2]  # (n, K)
    exact = joint / joint.sum(1, keepdims=True)
    assert np.abs(chances - exact).mean() < 0.01  # the exact posterior, from tables it never saw
    with pytest.raises(ValueError, match="only ever gives one label"):
        LabelModel(2, abstain="missing").fit(votes)


def test_probabilities_are_as_sure_as_they_are_right_when_rules_are_independent() -> None:
    votes, truth = world(3, 20_000, [0.8, 0.75, 0.7, 0.65, 0.6])
    chances = LabelModel(2).fit(votes).predict_proba(votes)
    assert abs(chances.max(1).mean() - (chances.argmax(1) == truth).mean()) < 0.02


def test_copies_of_a_wrong_rule_are_believed_as_documented() -> None:
    votes, truth = world(4, 4_000, [0.8, 0.8, 0.8, 0.45])
    alone = LabelModel(2).fit(votes).predict_proba(votes)
    copied = LabelModel(2).fit(votes[:, [0, 1, 2] + [3] * 6])
    chances = copied.predict_proba(votes[:, [0, 1, 2] + [3] * 6])
    assert (alone.argmax(1) == truth).mean() > 0.85
    assert (chances.argmax(1) == truth).mean() < 0.55
    assert chances.max(1).mean() > 0.98  # far too sure
    assert copied.accuracies()[3:].min() > 0.95  # the copies are taken for witnesses


def test_names_of_the_classes_and_the_order_of_items_and_rules_do_not_matter() -> None:
    votes, _ = world(5, 400, [0.9, 0.7, 0.6], coverage=0.7)
    first = LabelModel(2).fit(votes).predict_proba(votes)
    swapped = np.where(votes == ABSTAIN, ABSTAIN, 1 - votes)
    np.testing.assert_allclose(
        LabelModel(2).fit(swapped).predict_proba(swapped)[:, ::-1], first, atol=1e-4
    )
    order = np.random.default_rng(0).permutation(len(votes))
    mixed = votes[order][:, [2, 0, 1]]
    np.testing.assert_allclose(
        LabelModel(2).fit(mixed).predict_proba(mixed), first[order], atol=1e-4
    )


def test_where_nobody_votes_the_balance_is_all_that_is_known() -> None:
    votes, _ = world(6, 200, [0.9, 0.9, 0.8], coverage=0.5)
    model = LabelModel(2, abstain="missing", balance=[0.7, 0.3]).fit(votes)
    np.testing.assert_allclose(model.predict_proba([[-1, -1, -1]]), [[0.7, 0.3]])
    np.testing.assert_allclose(model.answers_.sum(2), 1)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"n_classes": 1}, "at least 2"),
        ({"n_classes": 2, "abstain": "no"}, '"missing" or "evidence"'),
        ({"n_classes": 2, "balance": [0.5, 0.6]}, "sum to 1"),
        ({"n_classes": 2, "balance": [1.0, 0.0]}, "above 0"),
        ({"n_classes": 2, "balance": [float("nan"), 1.0]}, "above 0"),
        ({"n_classes": 2, "smoothing": float("nan")}, "smoothing"),
        ({"n_classes": 2, "smoothing": -1}, "smoothing"),
        ({"n_classes": 2, "max_rounds": 0}, "max_rounds"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        LabelModel(**settings)  # type: ignore[arg-type]


def test_no_votes_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="no rule votes"):
        LabelModel(2).fit([[-1, -1]])


def test_a_model_asked_too_early_or_about_other_rules_says_so() -> None:
    for ask in (lambda model: model.predict_proba([[0, 1]]), lambda model: model.accuracies()):
        with pytest.raises(ValueError, match=r"call fit\(\) with votes first"):
            ask(LabelModel(2))
    with pytest.raises(ValueError, match="knows 2 rules, and the votes are those of 3"):
        LabelModel(2).fit([[0, 0], [1, 1]]).predict_proba([[0, 1, 1]])
