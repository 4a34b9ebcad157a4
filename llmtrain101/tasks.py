"""Supervised tasks in one shape: labelled inputs to learn from, others to be asked about, a score.

Three kinds: texts with a label, pairs of a sentence and its translation, and rows of a table with a
label. Each has a plain learner and a baseline that learns next to nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from llmtrain101 import features, formats, seeds, sources
from llmtrain101.labels import labelled

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = Literal["texts", "pairs", "table"]
KINDS: tuple[Kind, ...] = ("texts", "pairs", "table")
ASKED = 1_000  # new inputs that a run is asked about, at most
LARGEST = 10_000  # rows of a file, drawn at random
PIECE = re.compile(r"\w+(?:['’-]\w+)*['’]?|[^\w\s]")
_Sides = tuple[str, str]
_SIDES: tuple[_Sides, ...] = (
    ("en", "fr"),
    ("english", "french"),
    ("source", "target"),
    ("src", "tgt"),
)


@dataclass(frozen=True, kw_only=True)
class Task:
    """Inputs with their targets, in two parts that share nothing.

    Attributes
    ----------
    name : str
    kind : "texts", "pairs" or "table"
    train, test : pairs of arrays
        Inputs (texts, or rows of numbers) and targets (labels, or translations), as many as there
        are.

    Examples
    --------
    >>> texts = np.array(["good", "bad", "very good", "so bad"], dtype=object)
    >>> moods = np.array(["+", "-", "+", "-"], dtype=object)
    >>> task = Task(name="moods", kind="texts", train=(texts, moods), test=(texts, moods))
    >>> task.learn(seed=0, n=4), task.baseline()
    (1.0, 0.5)
    """

    name: str
    kind: Kind
    train: tuple[NDArray[Any], NDArray[Any]]
    test: tuple[NDArray[Any], NDArray[Any]]

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {self.kind!r}.")
        for part, (inputs, targets) in (("train", self.train), ("test", self.test)):
            if len(inputs) != len(targets) or not len(inputs):
                raise ValueError(
                    f"{part} must have as many inputs as targets, and some; got {len(inputs)} and "
                    f"{len(targets)}."
                )

    @property
    def metric(self) -> str:
        """What `learn` and `baseline` give."""
        return "chrF of unseen sentences" if self.kind == "pairs" else "accuracy on unseen inputs"

    def baseline(self) -> float:
        """The score of the most frequent label for everybody, or of a copy of the English."""
        if self.kind == "pairs":
            return score(self.kind, self.test[0], self.test[1])
        frequent = Counter(self.train[1].tolist()).most_common(1)[0][0]
        return score(self.kind, np.full(len(self.test[1]), frequent, object), self.test[1])

    def learn(self, seed: int, n: int, *, shuffled: bool = False) -> float:
        """The score on unseen inputs after `n` labelled ones, drawn at random.

        Parameters
        ----------
        seed : int
            Of the draw of both: of what is learnt from and of what is asked.
        n : int
            Of the training part, at most all.
        shuffled : bool
            Whether the targets are dealt out at random: the control in which nothing can be learnt
            but how frequent they are.
        """
        inputs, targets = self.train
        if not 1 <= n <= len(inputs):
            raise ValueError(f"n must be from 1 to the {len(inputs):,} for training, got {n}.")
        shown = seeds.rng(seed, "shown").permutation(len(inputs))[:n]
        asked = seeds.rng(seed, "asked").permutation(len(self.test[0]))[:ASKED]
        given = targets[shown]
        if shuffled:
            given = given[seeds.rng(seed, "shuffled").permutation(n)]
        model = learner(self.kind).fit(inputs[shown], given)
        return score(self.kind, model.predict(self.test[0][asked]), self.test[1][asked])


def learner(kind: Kind) -> Any:
    """A plain model for a kind of task, with `fit(inputs, targets)` and `predict(inputs)`.

    For texts it is naive Bayes on counted words, for tables logistic regression, for pairs a
    `Dictionary`.

    Raises
    ------
    ValueError
        If there is no such kind.

    Examples
    --------
    >>> learner("texts").fit(["a fine day", "a bad day"], ["+", "-"]).predict(["bad"]).tolist()
    ['-']
    """
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import make_pipeline

    if kind == "pairs":
        return Dictionary()
    if kind == "texts":
        return make_pipeline(features.Counts(), MultinomialNB(alpha=0.3))
    if kind == "table":
        return _Regression()
    raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}.")


class _Regression:
    """Logistic regression that copes with a sample in which one label is all there is."""

    def fit(self, inputs: NDArray[Any], targets: NDArray[Any]) -> _Regression:
        from sklearn.dummy import DummyClassifier
        from sklearn.linear_model import LogisticRegression

        several = len(set(targets.tolist())) > 1
        self.model = LogisticRegression(max_iter=2_000) if several else DummyClassifier()
        self.model.fit(inputs, targets)
        return self

    def predict(self, inputs: NDArray[Any]) -> Any:
        return self.model.predict(inputs)


def score(kind: Kind, predicted: Iterable[Any], wanted: Iterable[Any]) -> float:
    """Share of labels that are right; for translations chrF, from 0 to 100.

    Examples
    --------
    >>> score("texts", ["a", "b"], ["a", "a"])
    0.5
    >>> score("pairs", ["Fermer"], ["Fermer"])
    100.0
    """
    if kind != "pairs":
        return float(np.mean([one == other for one, other in zip(predicted, wanted, strict=True)]))
    from sacrebleu import corpus_chrf

    return float(corpus_chrf(list(map(str, predicted)), [list(map(str, wanted))]).score)


class Dictionary:
    """Translates word by word, by a dictionary that it has learnt from pairs of sentences.

    Nobody says which word stands for which. It begins with no opinion, spreads each French word
    over the English words of its sentence, counts, and repeats: words that come together again and
    again win (IBM model 1, by expectation maximisation). A word that it has no good answer for is
    copied.

    Parameters
    ----------
    rounds : int
        How often it goes over the pairs.
    least : float
        The least chance of a French word that is taken.

    References
    ----------
    Brown, Della Pietra, Della Pietra and Mercer 1993, "The Mathematics of Statistical Machine
    Translation", section 4.2.

    Examples
    --------
    >>> pairs = {"the cell": "la cellule", "the file": "le fichier", "a file": "un fichier",
    ...          "a cell": "une cellule"}
    >>> dictionary = Dictionary().fit(list(pairs), list(pairs.values()))
    >>> dictionary.predict(["File cell kernel"])
    ['Fichier cellule kernel']
    """

    def __init__(self, *, rounds: int = 8, least: float = 0.2) -> None:
        self.rounds = rounds
        self.least = least

    def fit(self, english: Sequence[str], french: Sequence[str]) -> Dictionary:
        """Learn from sentences and their translations, in the same order."""
        left, right, target = [], [], []  # one entry for each English word beside a French one
        words: dict[str, int] = {"": 0}  # "" stands for French words that no English one explains
        mots: dict[str, int] = {}
        n_targets = 0
        for source, translation in zip(english, french, strict=True):
            ids = [0, *(words.setdefault(word, len(words)) for word in cut(source))]
            for fr in cut(translation):
                left += ids
                right += [mots.setdefault(fr, len(mots))] * len(ids)
                target += [n_targets] * len(ids)
                n_targets += 1
        of_word, of_mot = np.array(left, np.int64), np.array(right, np.int64)
        at = np.array(target, np.int64)
        codes, entry = np.unique(of_word * max(1, len(mots)) + of_mot, return_inverse=True)
        word, mot_of = np.divmod(codes, max(1, len(mots)))
        chance = np.ones(len(codes))
        for _ in range(self.rounds):
            share = chance[entry]
            share /= np.bincount(at, share)[at]  # of each French word over its sentence
            counted = np.bincount(entry, share, len(codes))
            chance = counted / np.bincount(word, counted)[word]
        names, noms = list(words), list(mots)
        self.entries: dict[str, dict[str, float]] = {name: {} for name in names}
        for place in np.lexsort((mot_of, -chance)):  # the likeliest first
            self.entries[names[word[place]]][noms[mot_of[place]]] = float(chance[place])
        return self

    def predict(self, english: Sequence[str]) -> list[str]:
        """A translation of each sentence."""
        return [self._translate(sentence) for sentence in english]

    def _translate(self, sentence: str) -> str:
        found = []
        for piece in PIECE.findall(sentence):
            fr, chance = next(iter(self.entries.get(piece.lower(), {}).items()), (piece, 0.0))
            found.append(fr if chance >= self.least else piece)
        text = " ".join(found)
        return text[:1].upper() + text[1:] if sentence[:1].isupper() else text


def cut(sentence: str) -> list[str]:
    """The words and marks of a sentence, in lower case.

    Examples
    --------
    >>> cut("C'est l’état, non ?")
    ["c'est", 'l’état', ',', 'non', '?']
    """
    return PIECE.findall(sentence.lower())


def read(path: str | Path, *, kind: Kind | None = None, seed: int = 0) -> Task:
    """A task from a file of yours, split so that no text of one part has a twin in the other.

    A column `split` of its own is not looked at.

    Parameters
    ----------
    path : path
        Labelled texts in any format of `llmtrain101.formats`; pairs (two columns of sentences, in a
        name such as `tatoeba.eng-fra.tsv` or with columns named so); or a table as CSV, the label
        in its last column.
    kind : "texts", "pairs" or "table", optional
        Else it is seen from the name and from what is in it.
    seed : int
        Of the split, and of the draw where a file has more than 10,000 rows.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it holds no task, or one too small to split.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "mail.tsv"
    ...     lines = [f"{'ham' if i % 3 else 'spam'}\\tmessage number {i * i}" for i in range(30)]
    ...     _ = file.write_text("\\n".join(lines), encoding="utf-8")
    ...     task = read(file)
    >>> task.kind, sorted(set(task.train[1].tolist()))
    ('texts', ['ham', 'spam'])
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path} (looked for in {Path.cwd()}).")
    sides, found = None, None
    if kind is None:
        kind, sides, found = _kind(path)
    elif kind == "pairs":
        sides = _sides(path)
    if kind == "table":
        from llmtrain101 import table

        inputs, labels = table.read_csv(path, rows=LARGEST, seed=seed)
        order = seeds.rng(seed, "split").permutation(len(labels))
        cuts = len(order) * 7 // 10
        parts = [(inputs[rows], labels[rows]) for rows in (order[:cuts], order[cuts:])]
        return Task(name=path.name, kind=kind, train=parts[0], test=parts[1])
    if kind == "pairs":
        texts, targets = _pairs(path, sides)
    else:
        found = found or labelled.read(path)
        texts, targets = found.texts, found.labels
    chosen = seeds.rng(seed, "rows of a file").permutation(len(texts))[:LARGEST]
    return split(
        path.name, kind, [texts[i] for i in chosen], [targets[i] for i in chosen], seed=seed
    )


def split(
    name: str, kind: Kind, inputs: Sequence[str], targets: Sequence[str], *, seed: int
) -> Task:
    """A task of texts or pairs, 70 % to train, near-duplicates of a text in one part.

    Examples
    --------
    >>> texts = [f"{i} {i + 1} {i + 2}" for i in range(20)]
    >>> task = split("numbers", "texts", texts, ["even", "odd"] * 10, seed=0)
    >>> len(task.train[0]) + len(task.test[0])
    20
    """
    import pandas as pd

    rows = pd.DataFrame({"text": list(inputs), "target": list(targets)}).drop_duplicates()
    part = sources.split(rows, by=None, seed=seed, fractions=(0.7, 0, 0.3))
    train, test = (rows[part == each] for each in ("train", "test"))
    return Task(
        name=name,
        kind=kind,
        train=(train.text.to_numpy(object), train.target.to_numpy(object)),
        test=(test.text.to_numpy(object), test.target.to_numpy(object)),
    )


def _kind(path: Path) -> tuple[Kind, _Sides | None, labelled.Labelled | None]:
    """The kind of task that a file holds, and what was read to see it."""
    form = formats.format_of(path)
    sides = None if form is formats.lines else _sides(path)
    if form is formats.pairs or sides:
        return "pairs", sides, None
    if form is not formats.tabular:
        return "texts", None, None
    found = labelled.read(path)
    words = [len(text.split()) for text in found.texts[:1_000]]
    if np.mean(words or [0]) < 2:
        return "table", None, None  # words that stand alone are categories
    return "texts", None, found


def _sides(path: Path) -> _Sides | None:
    """The columns of a file that are a sentence and its translation, if they are named so."""
    if formats.format_of(path) is formats.pairs:
        return None  # that has two columns, whatever their names
    try:
        first = next(iter(formats.read(path, errors="report")), {})
    except formats.FormatError:
        return None
    return next((pair for pair in _SIDES if set(pair) <= set(first)), None)


def _pairs(path: Path, sides: _Sides | None) -> tuple[list[str], list[str]]:
    english, french = [], []
    for row in formats.read(path, errors="report"):
        values = [row.get(side) for side in sides] if sides else list(row.values())[:2]
        if len(values) == 2 and all(isinstance(each, str) and each.strip() for each in values):
            english.append(str(values[0]).strip())
            french.append(str(values[1]).strip())
    if not english:
        raise ValueError(f"{path} has no pairs of sentences.")
    return english, french
