"""Near-duplicates against exact Jaccard similarity of every pair: none missed, none too many."""

import itertools
import random
import re
import time

import numpy as np
import pytest

from llmtrain101 import sources
from llmtrain101.sources import _near_duplicates


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("LLMTRAIN101_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def runs(text, words):
    found = re.findall(r"\w+", text.lower()) or [text]
    return {tuple(found[i : i + words]) for i in range(max(1, len(found) - words + 1))}


def by_every_pair(texts, words, threshold):
    """The definition, word for word: compare all pairs, then follow the chains."""
    sets = [runs(text, words) for text in texts]
    group = list(range(len(texts)))
    for i, j in itertools.combinations(range(len(texts)), 2):
        shared = len(sets[i] & sets[j])
        if shared / (len(sets[i]) + len(sets[j]) - shared) >= threshold - 1e-12:
            old, new = group[j], group[i]
            group = [new if g == old else g for g in group]
    names = {}
    return [names.setdefault(g, len(names)) for g in group]


@pytest.mark.parametrize("seed", range(60))
def test_equal_to_comparing_every_pair_on_random_texts(seed):
    draw = random.Random(seed)
    vocabulary = "abcdef"[: draw.randint(1, 6)]
    texts = [
        " ".join(draw.choice(vocabulary) for _ in range(draw.randint(0, 12)))
        for _ in range(draw.randint(1, 40))
    ]
    words, threshold = draw.randint(1, 6), draw.choice([0.01, 0.25, 1 / 3, 0.5, 2 / 3, 0.8, 1.0])
    got = sources.near_duplicates(texts, words=words, threshold=threshold)
    assert got.tolist() == by_every_pair(texts, words, threshold)


@pytest.mark.parametrize(("words", "threshold"), [(3, 0.5), (5, 0.8), (1, 0.9)])
def test_equal_to_comparing_every_pair_on_real_texts(words, threshold):
    texts = sources.docstrings(["json", "email", "distutils"][:2], show=False).text.tolist()
    texts += [text.replace("the", "a") for text in texts[::3]]  # some that are near
    got = sources.near_duplicates(texts, words=words, threshold=threshold).tolist()
    assert got == by_every_pair(texts, words, threshold)
    assert len(set(got)) < len(texts)


def test_one_word_changed_in_a_sentence_is_near_another_sentence_is_not():
    a, b, c, d = sources.near_duplicates(
        [
            "Returns a boolean indicating if any argument of the call is not None.",
            "returns a boolean indicating\nif any argument of the  method is not None",
            "Returns the number of arguments of the call.",
            "",
        ]
    )
    assert a == b and len({int(a), int(c), int(d)}) == 3


def test_a_chain_is_one_group():
    words = [f"w{i}" for i in range(30)]
    chain = [" ".join(words[i : i + 20]) for i in range(0, 11, 2)]
    assert set(sources.near_duplicates(chain).tolist()) == {0}
    assert sources.near_duplicates([chain[0], chain[-1]]).tolist() == [0, 1]


def test_texts_without_words_equal_only_themselves():
    texts = ["", "---", "", "...", "---"]
    assert sources.near_duplicates(texts).tolist() == [0, 1, 0, 2, 1]


def test_no_texts_no_groups():
    assert sources.near_duplicates([]).shape == (0,)


def test_the_order_of_the_texts_does_not_matter():
    texts = sources.docstrings("email", show=False).text.tolist() * 2
    group = sources.near_duplicates(texts)
    order = np.random.default_rng(0).permutation(len(texts))
    shuffled = sources.near_duplicates([texts[i] for i in order])
    same = {(int(a), int(b)) for a, b in zip(group[order], shuffled, strict=True)}
    assert len(same) == len(set(group.tolist())) == len(set(shuffled.tolist()))


def test_long_runs_and_large_vocabularies_do_not_overflow():
    texts = [" ".join(f"w{i * 50 + j}" for j in range(50)) for i in range(400)]
    texts.append(texts[7].replace("w350 ", ""))
    group = sources.near_duplicates(texts, words=12)  # 20,000 ** 12 needs 172 bits
    assert group[400] == group[7] and len(set(group.tolist())) == 400


def test_comparing_in_small_pieces_changes_nothing(monkeypatch):
    texts = sources.docstrings("email", show=False).text.tolist()
    texts += [text + " And so on." for text in texts]
    whole = sources.near_duplicates(texts)
    monkeypatch.setattr(_near_duplicates, "_CHUNK", 50)
    assert (sources.near_duplicates(texts) == whole).all()


def test_many_copies_of_one_pattern_take_no_quadratic_time():
    texts = [f"The weather in town {i} is nice today and we all go out" for i in range(20_000)]
    start = time.perf_counter()
    group = sources.near_duplicates(texts)
    assert set(group.tolist()) == {0}
    assert time.perf_counter() - start < 10  # two seconds on a busy machine; all pairs: an hour


@pytest.mark.parametrize("change", [{"words": 0}, {"threshold": 0.0}, {"threshold": 1.5}])
def test_values_out_of_range(change):
    with pytest.raises(ValueError, match="must be"):
        sources.near_duplicates(["a"], **change)


def test_what_is_no_text():
    with pytest.raises(TypeError, match=r"texts\[1\] is nan"):
        sources.near_duplicates(["a", float("nan")])
    with pytest.raises(TypeError, match="not one str"):
        sources.near_duplicates("a text")
