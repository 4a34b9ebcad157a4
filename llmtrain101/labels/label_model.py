"""From the votes of many rules to one probability for each label, without any gold label.

The model of Dawid and Skene (1979): each item has a true class that nobody sees, and each rule has
a table of how often it gives which answer for items of each class. EM finds both: from the classes
follow the tables, from the tables the classes, in turn, beginning with the shares of the votes.

It takes the rules to err *independently*, once the class is given. Nothing in the votes can show
that they do not: two copies of a rule look like two witnesses who agree. Copies then count twice,
the probabilities become far too sure, and a wrong rule with enough copies is believed while the
right ones are taken to be wrong. So remove copies before, do not trust the probabilities as such,
and hold a sample of the labels against gold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrain101.labels.rules import checked, vote_shares

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class LabelModel:
    """How often is each rule right, and which class does each item have? By EM.

    Parameters
    ----------
    n_classes : int
        K, at least 2.
    abstain : "missing" or "evidence"
        What it means that a rule says nothing. `"missing"`: nothing, as with a person who was not
        asked. Then a rule that only ever gives one label tells nothing, for whenever it speaks it
        says that. `"evidence"`: an answer like others. A rule for spam that speaks on a tenth of
        the mail then tells that what it passed over is a little less likely to be spam.
    balance : sequence of K floats, optional
        The shares of the classes, if they are known, for example from a hundred labels by hand;
        else they are found with the rest, which goes wrong where rules leave a class out.
    smoothing : float
        That many answers of each kind are taken as seen for each rule and class, spread over the
        answers as they come from this rule whatever the class. It keeps a table from 0 and 1.
    max_rounds : int
        EM stops earlier where no probability moves by more than 1e-6.

    Attributes
    ----------
    answers_ : float array of shape (n_rules, K, K + 1)
        The chance of each answer for each class; the last answer is to abstain. With "missing" it
        is that of an answer if there is one, and the last is 0.
    balance_ : float array of shape (K,)
    rounds_ : int

    Raises
    ------
    ValueError
        If a setting makes no sense, if nobody votes, or if with "missing" every rule has one label.

    References
    ----------
    Dawid and Skene (1979), Applied Statistics 28, equations 2.3 to 2.5. Snorkel's label model fits
    the same tables from the agreements of pairs of rules instead.

    Examples
    --------
    Two rules that agree, and one that is a coin:

    >>> votes = [[0, 0, 0], [0, 0, 1], [1, 1, 0], [1, 1, 1]] * 5
    >>> model = LabelModel(2, abstain="missing").fit(votes)
    >>> model.predict_proba([[0, 0, 1], [1, 1, 0]]).round(1).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    >>> model.accuracies().round(1).tolist()
    [1.0, 1.0, 0.5]
    """

    def __init__(
        self,
        n_classes: int,
        *,
        abstain: str = "evidence",
        balance: ArrayLike | None = None,
        smoothing: float = 1.0,
        max_rounds: int = 200,
    ) -> None:
        if n_classes < 2:
            raise ValueError(f"n_classes must be at least 2, got {n_classes}.")
        if abstain not in ("missing", "evidence"):
            raise ValueError(f'abstain must be "missing" or "evidence", got {abstain!r}.')
        if not smoothing >= 0 or max_rounds < 1:  # so put, nan is refused too
            raise ValueError(
                "smoothing must not be below 0, and max_rounds at least 1, got "
                f"{smoothing} and {max_rounds}."
            )
        self.n_classes, self.abstain, self.smoothing = n_classes, abstain, smoothing
        self.max_rounds = max_rounds
        self.balance = None if balance is None else np.asarray(balance, dtype=float)
        if self.balance is not None and (
            self.balance.shape != (n_classes,)
            or not (self.balance > 0).all()
            or not abs(self.balance.sum() - 1) <= 1e-6
        ):
            raise ValueError(
                f"balance must be {n_classes} shares above 0 that sum to 1, got {balance!r}."
            )

    def fit(self, votes: ArrayLike) -> LabelModel:
        """Find the tables; votes has the shape (n_items, n_rules), -1 where a rule abstains."""
        votes = checked(votes, self.n_classes)
        answers = self._answers(votes)  # (n, m, K + 1)
        spoken = votes.max(axis=1, initial=-1) >= 0
        if not spoken.any():
            raise ValueError("no rule votes on any item, so there is nothing to learn from.")
        given = (answers.max(0)[:, :-1] > 0).sum(1)  # (m,): how many labels each rule ever gives
        if self.abstain == "missing" and given.max() < 2:
            raise ValueError(
                "each of these rules only ever gives one label, so that with abstain='missing' "
                "their votes tell nothing; use abstain='evidence'."
            )
        shares = vote_shares(votes, self.n_classes)  # (n, K)
        if self.balance is not None:  # where nobody votes, what is known is the balance
            shares[~spoken] = self.balance
        for round_ in range(1, self.max_rounds + 1):
            self.rounds_, before = round_, shares
            self._learn(answers, shares)
            shares = self._infer(answers)
            if np.abs(shares - before).max() < 1e-6:
                break
        return self

    def predict_proba(self, votes: ArrayLike) -> NDArray[np.float64]:
        """The chance of each class for each item, shape (n_items, K)."""
        self._check_fitted()
        table = checked(votes, self.n_classes)
        if table.shape[1] != len(self.answers_):
            raise ValueError(
                f"the model knows {len(self.answers_)} rules, and the votes are those of "
                f"{table.shape[1]}: give it the same rules as fit()."
            )
        return self._infer(self._answers(table))

    def accuracies(self) -> NDArray[np.float64]:
        """What share of its votes the model takes to be right, for each rule, shape (n_rules,)."""
        self._check_fitted()
        table = self.answers_[:, :, :-1] * self.balance_[:, None]  # (m, K, K)
        spoken = table.sum((1, 2))
        right = np.trace(table, axis1=1, axis2=2)
        return np.asarray(
            np.divide(right, spoken, out=np.full(len(table), np.nan), where=spoken > 0)
        )

    def _check_fitted(self) -> None:
        if not hasattr(self, "answers_"):
            raise ValueError("the model has learnt nothing yet: call fit() with votes first.")

    def _answers(self, table: NDArray[np.int64]) -> NDArray[np.float64]:
        """A 1 at the answer of each rule to each item, shape (n_items, n_rules, K + 1)."""
        answers: NDArray[np.float64] = np.eye(self.n_classes + 1)[table]  # -1: the last row
        if self.abstain == "missing":
            answers[:, :, -1] = 0
        return np.asarray(answers)

    def _learn(self, answers: NDArray[np.float64], shares: NDArray[np.float64]) -> None:
        """The M step: count each rule's answers, each item shared out over its classes."""
        n, m, _ = answers.shape
        flat = shares.T @ answers.reshape(n, -1)  # one product, which is quick
        counts = flat.reshape(self.n_classes, m, -1).transpose(1, 0, 2)  # (m, K, K + 1)
        usual = counts.sum(1, keepdims=True)
        usual = usual / np.maximum(usual.sum(2, keepdims=True), 1e-12)  # whatever the class
        counts = counts + self.smoothing * usual + 1e-10
        if self.abstain == "missing":
            counts[:, :, -1] = 0
        self.answers_ = counts / counts.sum(2, keepdims=True)
        self.balance_ = shares.mean(0) if self.balance is None else self.balance

    def _infer(self, answers: NDArray[np.float64]) -> NDArray[np.float64]:
        """The E step: multiply the chances of the answers that were given, class by class."""
        tables = np.log(np.maximum(self.answers_, 1e-300)).transpose(0, 2, 1)  # (m, K + 1, K)
        logs = answers.reshape(len(answers), -1) @ tables.reshape(-1, self.n_classes)  # (n, K)
        logs += np.log(np.maximum(self.balance_, 1e-300))
        chances = np.exp(logs - logs.max(1, keepdims=True))
        return np.asarray(chances / chances.sum(1, keepdims=True))
