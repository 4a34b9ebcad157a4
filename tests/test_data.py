"""The sets in `data/`: whole, balanced, free of copies, and varied like what people write.

What "varied" means is measured. The vocabulary of a text of n words grows like n to a power, the
exponent of Heaps: near 1 where every word is new, near 0 where a template is filled. It is fitted
to the first n words of a set, its texts in a random order, mean of five orders. On texts that other
people wrote it was, for as many words as our sets have:

    ====================================  =====  =====  =====
    words                                 5,000  1,500  1,000
    ====================================  =====  =====  =====
    interface texts, English               0.64   0.77   0.81
    interface texts, French                0.68   0.77   0.80
    docstrings of numpy                    0.70   0.77   0.80
    docstrings of pandas                   0.70   0.78   0.81
    docstrings of Python                   0.76   0.80   0.82
    docstrings of torch                    0.78   0.84   0.85
    the Python manual, by paragraphs       0.72   0.80   0.82
    tinyshakespeare, by speeches           0.75   0.80   0.82
    SMS messages                           0.76   0.81   0.83
    TREC's questions                       0.82   0.85   0.86
    Tatoeba's sentences, English                  0.72   0.75
    Tatoeba's sentences, French                   0.78   0.79
    tweets of WNUT17                       0.80   0.85   0.87
    paragraphs of Wikipedia (XQuAD)        0.86   0.89   0.89
    ====================================  =====  =====  =====

The bands below run from the least to the most of each column. Texts made from a template fall far
below them: a test says so.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from llmtrain101 import seeds, sources
from llmtrain101.sources import _natural

WORD = re.compile(r"\w+(?:['’]\w+)*")
SETS = {
    "reviews": (sources.reviews, ("text",)),
    "questions": (sources.questions, ("text",)),
    "pairs": (sources.pairs, ("en", "fr")),
}
KINDS = {
    "kettle", "headphones", "backpack", "novel", "running shoes", "board game", "desk lamp",
    "phone case",
}  # fmt: skip


def words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def heaps(texts: Sequence[str], n_words: int) -> float:
    """The exponent by which the vocabulary grows over the first `n_words`, mean of five orders."""
    found = []
    for seed in range(5):
        order = seeds.rng(seed, "order of texts").permutation(len(texts))
        running = [word for i in order for word in words(texts[i])][:n_words]
        assert len(running) == n_words
        different = np.array([1 if new else 0 for new in first_times(running)]).cumsum()
        at = np.unique(np.geomspace(n_words / 30, n_words, 40).astype(int))
        found.append(np.polyfit(np.log(at), np.log(different[at - 1]), 1)[0])
    return float(np.mean(found))


def first_times(running: Sequence[str]) -> list[bool]:
    seen: set[str] = set()
    return [not (word in seen or seen.add(word)) for word in running]  # type: ignore[func-returns-value]


# --- shapes ---------------------------------------------------------------------------------------


def test_reviews_are_whole() -> None:
    table = sources.reviews()
    assert table.id.tolist() == [f"r{i:03d}" for i in range(1, 601)]
    assert table.kind.value_counts().to_dict() == dict.fromkeys(KINDS, 75)
    shares = table.sentiment.value_counts(normalize=True)
    assert set(shares.index) == set(_natural.SENTIMENTS)
    assert shares["positive"] == pytest.approx(0.42, abs=0.03)
    assert shares["negative"] == pytest.approx(0.36, abs=0.03)
    assert shares["mixed"] == pytest.approx(0.22, abs=0.03)
    test = table[table.split == "test"]
    assert set(table.split) == {"train", "test"}
    assert test.kind.value_counts().to_dict() == dict.fromkeys(KINDS, 25)
    gap = test.sentiment.value_counts(normalize=True) - shares
    assert gap.abs().max() < 0.08  # 25 of 75 drawn by chance in each kind: 3 deviations


def test_reviews_are_as_long_as_people_make_them() -> None:
    length = sources.reviews().text.str.count(r"\S+")
    assert 3 <= length.min() <= 6 and 90 <= length.max() <= 150
    assert 22 <= length.median() <= 34
    assert length.std() / length.mean() > 0.45  # heavily varied


def test_review_guidelines_are_three_pages_on_sixty_training_reviews() -> None:
    table = sources.review_guidelines()
    wide = table.pivot(index="id", columns="guideline", values="sentiment")
    assert wide.shape == (60, 3) and not wide.isna().any(axis=None)
    assert list(wide.columns) == ["A", "B", "C"]
    assert set(table.sentiment) == set(_natural.SENTIMENTS)
    train = sources.reviews().query("split == 'train'")
    assert set(wide.index) <= set(train.id)
    disagreeing = (wide.nunique(axis=1) > 1).mean()
    assert 0.3 <= disagreeing <= 0.6, "the guidelines are to differ in what they lead to"
    mixed = (wide == "mixed").sum()
    assert mixed["B"] > mixed["A"]  # B counts points, A keeps “mixed” for the last resort
    pages = table.attrs["guidelines"]
    assert list(pages) == ["A", "B", "C"]
    for letter, page in pages.items():
        assert page.startswith(f"## Guideline {letter}") and len(page) > 600
        assert page.count("\n## ") == 0


def test_questions_are_whole() -> None:
    table = sources.questions()
    assert table.id.tolist() == [f"q{i:03d}" for i in range(1, 201)]
    counts = table.type.value_counts()
    assert set(counts.index) == set(_natural.QUESTION_TYPES)
    assert counts.between(20, 50).all() and counts.nunique() > 1
    assert table.split.value_counts().to_dict() == {"train": 130, "test": 70}
    assert set(table[table.split == "test"].type) == set(counts.index)


def test_pairs_are_whole() -> None:
    table = sources.pairs()
    assert table.id.tolist() == [f"p{i:03d}" for i in range(1, 121)]
    assert table.split.value_counts().to_dict() == {"train": 80, "test": 40}
    length = table.en.str.count(r"\S+")
    assert 2 <= length.min() and length.max() <= 26
    assert 110 <= table.en.nunique() < 120
    assert (table.groupby("en").split.nunique() == 1).all()
    assert table.fr.nunique() == 120 and not (table.en == table.fr).any()


def test_french_is_spaced_as_french_is() -> None:
    french = sources.pairs().fr
    assert not french.str.contains(r"[^\s\u00a0\u202f][;!?»](?:\s|$)", regex=True).any()
    assert not french.str.contains(r" [;:!?»]|« ", regex=True).any()
    assert french.str.contains(r"[\u00a0\u202f][;:!?»]", regex=True).sum() >= 10
    assert not french.str.contains("'").any()  # ’ throughout, or a tokenizer sees two languages


# --- nothing that would break a reader -----------------------------------------------------------


@pytest.mark.parametrize("name", SETS)
def test_texts_are_clean_to_the_byte(name: str) -> None:
    read, columns = SETS[name]
    table = read()
    assert not (table == "").any(axis=None)
    for column in columns:
        for text in table[column]:
            assert text == text.strip()
            assert unicodedata.normalize("NFC", text) == text
            assert not re.search(r"<[a-zA-Z/!]|&[a-z]+;|https?://", text), text
            odd = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs")}
            assert odd <= {"\n"}, (text, odd)
            assert not text.startswith(("=", "+", "@")), "a spreadsheet would run it"


def test_files_have_one_form() -> None:
    for name in ("reviews.csv", "reviews.guidelines.csv", "questions.csv", "pairs.en-fr.csv"):
        content = _natural._place(name).read_bytes()
        assert b"\x00" not in content and b"\r" not in content and content.endswith(b"\n")
        assert not content.startswith(b"\xef\xbb\xbf")
        content.decode("utf-8")


# --- variety --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SETS)
def test_no_text_is_there_twice(name: str) -> None:
    read, columns = SETS[name]
    for column in columns:
        texts = read()[column].drop_duplicates() if name == "pairs" else read()[column]
        bare = [" ".join(words(text)) for text in texts]
        assert len(set(bare)) == len(bare)
        groups = sources.near_duplicates(texts)
        doubled = Counter(groups.tolist()).most_common(1)[0]
        assert doubled[1] == 1, texts[groups == doubled[0]].tolist()


@pytest.mark.parametrize("name", SETS)
def test_no_opening_of_five_words_comes_more_than_three_times(name: str) -> None:
    read, columns = SETS[name]
    for column in columns:
        texts = read()[column].drop_duplicates()
        openings = Counter(" ".join(words(text)[:5]) for text in texts)
        assert openings.most_common(1)[0][1] <= 3, openings.most_common(5)


def test_reviews_repeat_few_phrases() -> None:
    texts = sources.reviews().text
    phrases = Counter()
    for text in texts:
        run = words(text)
        phrases.update({" ".join(run[i : i + 5]) for i in range(len(run) - 4)})
    assert phrases.most_common(1)[0][1] <= 4, phrases.most_common(8)
    assert sum(n > 1 for n in phrases.values()) / len(phrases) < 0.01


BANDS = {  # of real texts of that many words: see the top
    "reviews": (5000, 0.63, 0.87),
    "questions": (1500, 0.71, 0.90),
    "pairs": (1000, 0.74, 0.90),
}


@pytest.mark.parametrize("name", SETS)
def test_the_vocabulary_grows_like_that_of_real_texts(name: str) -> None:
    read, columns = SETS[name]
    n_words, low, high = BANDS[name]
    for column in columns:
        exponent = heaps(read()[column].tolist(), n_words)
        assert low <= exponent <= high, f"{name}.{column}: {exponent:.3f}"


def test_real_texts_that_are_always_here_lie_in_the_band() -> None:
    docs = sources.docstrings(["numpy", "pandas"], show=False)
    manual = sources.manual().text.str.split("\n\n").explode()
    for texts in (docs.text.str.split("\n\n").str[0], manual, sources.translations().english):
        texts = texts[texts.str.count(r"\S+") >= 4].drop_duplicates().tolist()
        for n_words, low, high in BANDS.values():
            assert low <= heaps(texts, n_words) <= high


SHARED = Path(__file__).parent.parent.parent / "shared" / "data"


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is not here")
def test_real_texts_of_others_lie_in_the_band() -> None:
    def lines(name: str, encoding: str = "utf-8") -> list[str]:
        return (SHARED / name).read_text(encoding=encoding).splitlines()

    sms = [line.split("\t", 1)[1] for line in lines("sms_spam.tsv")]
    trec = [line.split(" ", 1)[1] for line in lines("trec.train.txt", "latin-1")]
    tatoeba = [line.split("\t")[0] for line in lines("tatoeba.eng-fra.tsv")]
    french = [line.split("\t")[1] for line in lines("tatoeba.eng-fra.tsv")]
    for texts in (sms, trec, tatoeba, french):
        texts = list(dict.fromkeys(texts))
        n_words_here = sum(len(words(text)) for text in texts)
        for n_words, low, high in BANDS.values():
            if n_words <= n_words_here:
                assert low <= heaps(texts, n_words) <= high


def test_templates_fall_below_the_band() -> None:
    rng = seeds.rng(0, "templates")
    things, good = ["kettle", "lamp", "novel", "game"] * 5, ["great", "poor", "fine", "awful"] * 5
    made = [
        f"I bought this {rng.choice(things)} {rng.integers(1, 50)} weeks ago and it is "
        f"{rng.choice(good)}, though the {rng.choice(things)} was {rng.choice(good)} too."
        for _ in range(600)
    ]
    assert heaps(made, 5000) < BANDS["reviews"][1] - 0.2


def test_single_words_do_not_give_the_stance_away() -> None:
    """Beyond the commonest label a bag of words finds little: stance is not in single words."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline

    from llmtrain101 import features

    train = sources.reviews().query("split == 'train'")
    model = make_pipeline(features.TfIdf(), LogisticRegression(C=10, max_iter=1000))
    score = cross_val_score(model, train.text, train.sentiment, cv=5).mean()
    frequent = train.sentiment.value_counts(normalize=True).max()
    assert frequent < score < 0.75


def test_missing_and_damaged_data_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing.csv is in neither .*data nor .*_course"):
        _natural._place("nothing.csv")
    broken = tmp_path / "reviews.csv"
    monkeypatch.setattr(_natural, "_place", lambda name: broken)
    broken.write_text("id,text\nr1,fine\n", encoding="utf-8")
    with pytest.raises(ValueError, match="must have the columns id, kind, .* got id, text"):
        sources.reviews()
    broken.write_text('id,text\n"r1,fine', encoding="utf-8")
    with pytest.raises(ValueError, match="cannot be read as a table"):
        sources.reviews()


def test_the_installed_package_finds_its_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "site-packages" / "llmtrain101"
    (package / "_course" / "data").mkdir(parents=True)
    (package / "_course" / "data" / "questions.csv").write_text(
        "id,type,text,split\nq001,number,NA means what?,train\n", encoding="utf-8"
    )
    (package / "sources").mkdir()
    monkeypatch.setattr(_natural, "__file__", str(package / "sources" / "_natural.py"))
    assert sources.questions().text.tolist() == ["NA means what?"]


def test_words_that_pandas_takes_for_gaps_stay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = tmp_path / "questions.csv"
    place.write_text("id,type,text,split\nq1,abbreviation,NA,train\n", encoding="utf-8")
    monkeypatch.setattr(_natural, "_place", lambda name: place)
    pd.testing.assert_frame_equal(
        sources.questions(),
        pd.DataFrame([["q1", "abbreviation", "NA", "train"]], columns=sources.questions().columns),
    )


def test_the_data_sheet_is_shipped_and_says_what_matters() -> None:
    page = _natural._place("README.md").read_text(encoding="utf-8")
    for phrase in ("CC BY 4.0", "no sample of real customers", "test part", "written for this"):
        assert phrase in " ".join(page.split()), phrase
    for name in ("reviews.csv", "reviews.guidelines.csv", "questions.csv", "pairs.en-fr.csv"):
        assert f"`{name}`" in page
