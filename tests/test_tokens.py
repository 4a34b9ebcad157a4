"""Text → ids → text is the identity, here and in transformers; no text forges a special token."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtrain101 import tokens
from llmtrain101.tokens import Tokenizer, bpe, bytes_, characters

TEXT = "To be, or not to be: that is the question.\nWhether 'tis nobler in the mind… été 🎭\n" * 40
MAKERS = {
    "char": lambda: characters([TEXT, "<|endoftext|><|unknown|><|pad|><|mask|>"], mask=True),
    "byte": lambda: bytes_(mask=True),
    "bpe": lambda: bpe([TEXT], 320, mask=True),
}


@pytest.fixture(scope="module", params=MAKERS)
def tokenizer(request):
    return MAKERS[request.param]()


@pytest.fixture(scope="module", params=["byte", "bpe"])
def lossless(request):
    return MAKERS[request.param]()


@pytest.fixture(scope="module")
def hugging_face(tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.save(folder)
    return transformers.AutoTokenizer.from_pretrained(folder)


@settings(deadline=None)
@given(st.text())
def test_any_text_comes_back_from_bytes_and_bpe(lossless, text):
    assert lossless.decode(lossless.encode(text)) == text


@settings(deadline=None)
@given(st.text(alphabet=sorted(set(TEXT))))
def test_any_text_of_the_alphabet_comes_back_from_characters(text):
    tokenizer = MAKERS["char"]()
    ids = tokenizer.encode(text)
    assert len(ids) == len(text)
    assert tokenizer.decode(ids) == text


@settings(deadline=None)
@given(st.text())
def test_transformers_gives_the_same_ids_and_the_same_text(tokenizer, hugging_face, text):
    ids = tokenizer.encode(text)
    assert hugging_face.encode(text) == ids
    assert hugging_face.decode(ids) == tokenizer.decode(ids)
    assert hugging_face.decode(ids, skip_special_tokens=True) == tokenizer.decode(
        ids, skip_special_tokens=True
    )


def test_spaces_before_punctuation_and_at_the_ends_survive_in_transformers(lossless, tmp_path):
    lossless.save(tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    text = "  it 's a test , is n't it ?  "
    assert theirs.decode(theirs.encode(text)) == text
    assert theirs.eos_token_id == lossless.end_id
    assert theirs.pad_token_id == lossless.pad_id
    assert theirs.mask_token_id == lossless.mask_id
    assert len(theirs) == lossless.vocab_size


@settings(deadline=None)
@given(st.text())
def test_the_fast_paths_are_the_library_s_ids(tokenizer, text):
    expected = tokenizer.backend.encode(text, add_special_tokens=False).ids
    assert tokenizer.encode_array(text).tolist() == expected
    assert tokenizer.encode_many([text, "x"])[0] == expected


@given(
    st.lists(st.sampled_from(["a", "é", "'s", " ", "  ", "\n", "\t", "12", "…"])), st.integers(1, 9)
)
def test_pieces_are_whole_words_and_lose_nothing(parts, largest):
    text = "".join(parts)
    pieces = list(tokens.pieces_of(text, largest))
    assert "".join(pieces) == text
    assert all(0 < len(piece) <= largest for piece in pieces)


def test_a_long_text_cut_in_pieces_has_the_ids_of_the_whole(monkeypatch):
    tokenizer = MAKERS["bpe"]()
    expected = tokenizer.backend.encode(TEXT).ids
    pieces = tokens.pieces_of
    monkeypatch.setattr(tokens, "pieces_of", lambda text: pieces(text, 100))
    assert tokenizer.encode_array(TEXT).tolist() == expected


@pytest.mark.parametrize("spelled", [tokens.END, tokens.PAD, tokens.MASK, tokens.UNKNOWN])
def test_a_text_that_spells_a_special_token_stays_text(tokenizer, hugging_face, spelled):
    special = {tokenizer.end_id, tokenizer.pad_id, tokenizer.mask_id}
    for ids in (
        tokenizer.encode(f"a{spelled}b"),
        tokenizer.encode_many([f"a{spelled}b"])[0],
        hugging_face.encode(f"a{spelled}b"),
    ):
        assert not special & set(ids)
        assert len(ids) > 5
    assert tokenizer.decode(tokenizer.encode(spelled), skip_special_tokens=True) == spelled


def test_unknown_characters_become_the_unknown_token_one_each():
    tokenizer = characters(["ab"])
    assert tokenizer.decode(tokenizer.encode("a€🎭b")) == "a<|unknown|><|unknown|>b"
    assert tokenizer.decode(tokenizer.encode("a€b"), skip_special_tokens=True) == "ab"


def test_saved_and_loaded_is_the_same_also_after_transformers_saved_it(
    tokenizer, hugging_face, tmp_path
):
    tokenizer.save(tmp_path / "ours")
    hugging_face.save_pretrained(tmp_path / "theirs")
    for folder in ("ours", "theirs"):
        again = Tokenizer.load(tmp_path / folder)
        assert again.kind == tokenizer.kind
        assert again.encode(TEXT) == tokenizer.encode(TEXT)
        assert (again.end_id, again.pad_id, again.mask_id, again.vocab_size) == (
            tokenizer.end_id,
            tokenizer.pad_id,
            tokenizer.mask_id,
            tokenizer.vocab_size,
        )


def test_a_tokenizer_made_elsewhere_is_read_and_told_apart(tmp_path):
    backend = tokens.tokenizers.Tokenizer(tokens.models.WordLevel({"a": 0, "?": 1}, unk_token="?"))
    backend.pre_tokenizer = tokens.pre_tokenizers.Whitespace()
    backend.save(str(tmp_path / "tokenizer.json"))
    tokenizer = Tokenizer.load(tmp_path)
    assert tokenizer.kind == "other"
    assert tokenizer.encode("a a b") == [0, 0, 1]
    with pytest.raises(ValueError, match="no eos_token; it has: none"):
        _ = tokenizer.end_id
    with pytest.raises(ValueError, match="count the bytes of the text itself"):
        tokenizer.byte_lengths()


def test_the_same_texts_give_the_same_merges_in_any_process():
    code = (
        "import hashlib; from llmtrain101.tokens import bpe; from pydoc_data.topics import topics;"
        "made = bpe(topics.values(), 600).files()['tokenizer.json'];"
        "print(hashlib.sha256(made.encode()).hexdigest())"
    )
    digests = set()
    for threads, hash_seed in (("1", "0"), ("2", "1"), ("4", "2")):
        environment = {**os.environ, "RAYON_NUM_THREADS": threads, "PYTHONHASHSEED": hash_seed}
        run = [sys.executable, "-c", code]
        done = subprocess.run(run, env=environment, capture_output=True, text=True, check=True)
        digests.add(done.stdout)
    assert len(digests) == 1


def test_bpe_keeps_to_its_size_and_shortens_the_text():
    tokenizer = bpe([TEXT], 300)
    assert tokenizer.vocab_size == 300
    assert tokenizer.end_id == 298  # special tokens come last
    assert bpe([TEXT], 3000).vocab_size < 400  # there are not that many pairs
    assert len(tokenizer.encode(TEXT)) < 0.6 * len(bytes_().encode(TEXT))
    assert bpe(TEXT, 300).encode(TEXT) == tokenizer.encode(TEXT)  # one string is one text


def test_byte_lengths_add_up_to_the_bytes_of_the_text(tokenizer):
    ids = [*tokenizer.encode(TEXT), tokenizer.end_id]
    assert tokenizer.byte_lengths()[ids].sum() == len(TEXT.encode())


def test_a_byte_is_its_own_id():
    assert bytes_().encode("\x00Aé") == [0, 65, 195, 169]
    assert bytes_().vocab_size == 258


def test_half_a_character_decodes_to_the_replacement_character():
    assert bytes_().decode([104, 195]) == "h\ufffd"


def test_a_megabyte_is_encoded_within_a_second(tokenizer):
    text = (TEXT * 400)[: 1 << 20]
    start = time.perf_counter()
    ids = tokenizer.encode_array(text)
    # measured: characters 0.01 s, bytes 0.005 s, BPE 0.3 s on 2 cores
    assert time.perf_counter() - start < 2
    assert ids.dtype == np.int32


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: characters([]), "no character in these texts"),
        (lambda: bpe(["a"], 257), "vocab_size must be at least 258"),
        (lambda: bytes_().mask_id, "no mask_token.*mask=True"),
        (lambda: bytes_().encode("ab\ud800"), "Character 2 of the text, '.ud800', is half"),
        (lambda: bytes_().encode_many(["\ud800"]), "lone surrogate"),
        (lambda: characters(["a\ud800"]), "lone surrogate"),
    ],
)
def test_mistakes_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_folder_without_or_with_a_damaged_tokenizer_is_explained(tmp_path):
    with pytest.raises(FileNotFoundError, match="has no tokenizer.json: name a folder"):
        Tokenizer.load(tmp_path)
    bytes_().save(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match="tokenizer_config.json is damaged"):
        Tokenizer.load(tmp_path)
    (tmp_path / "tokenizer.json").write_text('{"version": 1}', encoding="utf-8")
    with pytest.raises(ValueError, match="is not a tokenizer, or is damaged"):
        Tokenizer.load(tmp_path)
    with (tmp_path / "tokenizer.json").open("wb") as file:
        file.truncate((1 << 26) + 1)  # sparse: takes no space
    with pytest.raises(ValueError, match="larger than 64 MiB"):
        Tokenizer.load(tmp_path)
