"""Any text file is read in bounded memory, or one sentence says what is wrong with it."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtrain101 import texts
from llmtrain101.texts import (
    find_texts,
    hold_out,
    make_tokenizer,
    open_tokens,
    read_pieces,
    survey,
    write_tokens,
)

KINDS = ("char", "byte", "bpe")
TEXT = "It was the best of times, it was the worst of times.\nÉté à la plage 🎭.\n" * 30


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(texts, "_BLOCK", 7)  # every piece ends in the middle of something


@pytest.mark.parametrize("kind", KINDS)
def test_the_stream_gives_the_ids_of_the_whole(tmp_path, small_blocks, kind):
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8", newline="\n")
    (tmp_path / "b.txt").write_text("worst times", encoding="utf-8")
    found = survey(tmp_path)
    tokenizer = make_tokenizer(kind, found, vocab_size=300)
    made = write_tokens(found, tokenizer, tmp_path / "out")
    expected = [
        *tokenizer.encode(TEXT),
        tokenizer.end_id,
        *tokenizer.encode("worst times"),
        tokenizer.end_id,
    ]
    assert made.ids.tolist() == expected
    assert made.ids.dtype == np.uint16
    assert isinstance(made.ids, np.memmap)
    assert made.n_bytes == len(TEXT.encode()) + len("worst times")
    again = open_tokens(tmp_path / "out")
    assert again.ids.tolist() == expected
    assert again.text_sha256 == found.sha256


@settings(deadline=None, max_examples=50)
@given(st.text(alphabet=st.characters(exclude_characters="\x00\r\ufeff", codec="utf-8")))
def test_any_text_is_read_as_it_was_written(tmp_path_factory, text):
    file = tmp_path_factory.mktemp("text") / "a.txt"
    file.write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "_BLOCK", 3)
        assert "".join(read_pieces(file)) == text


def test_line_ends_and_the_mark_of_some_editors_do_not_matter(tmp_path, small_blocks):
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfone two\r\nthree\rfour\n")
    assert "".join(read_pieces(tmp_path / "a.txt")) == "one two\nthree\nfour\n"


def test_other_encodings_are_read_when_named(tmp_path):
    (tmp_path / "a.txt").write_text("été", encoding="latin-1")
    assert survey(tmp_path / "a.txt", "latin-1").alphabet == "té"
    (tmp_path / "b.txt").write_text("été", encoding="utf-16")
    assert survey(tmp_path / "b.txt", "utf-16").n_characters == 3


def test_the_fingerprint_is_of_the_text_not_of_its_line_ends_or_place(tmp_path):
    def fingerprint(name, *contents):
        for i, content in enumerate(contents):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / f"{i}.txt").write_bytes(content)
        return survey(tmp_path / name).sha256

    first = fingerprint("first", b"one\ntwo", b"three")
    assert fingerprint("moved", b"one\r\ntwo", b"three") == first
    assert fingerprint("changed", b"one\ntwo", b"thre3") != first
    assert fingerprint("cut elsewhere", b"one\n", b"twothree") != first


def test_the_alphabet_and_the_merges_come_from_the_right_part(tmp_path):
    (tmp_path / "a.txt").write_text("ab " * 900 + "xyz " * 75, encoding="utf-8")
    found = survey(tmp_path)
    assert found.alphabet == " abxyz"
    bpe = make_tokenizer("bpe", found, vocab_size=400)
    assert len(bpe.encode(" ab")) == 1
    assert len(bpe.encode(" xyz")) == 4  # only the held-out tenth has it


def test_merges_come_from_a_bounded_sample(tmp_path, small_blocks, monkeypatch):
    monkeypatch.setattr(texts, "_BPE_SAMPLE", 100)
    (tmp_path / "a.txt").write_text("0123456" * 100, encoding="utf-8")
    sample = "".join(texts._sample(survey(tmp_path)))
    assert 80 <= len(sample) <= 100


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (b"", "utf-8", r"a.txt is empty: there is no text to read"),
        (b"caf\xe9 au lait", "utf-8", r"a.txt is not utf-8 text: byte 3 \(0xe9\).*latin-1"),
        (b"x" * 20 + b"\xc3", "utf-8", r"byte 20 \(0xc3\)"),
        ("é".encode("utf-16"), "utf-8", r"byte 0 \(0xff\).*--encoding utf-16"),
        (b"\x89PNG\r\n\x1a\n\x00", "utf-8", r"byte 0 \(0x89\).*Save a PDF"),
        (b"GIF89a\x00\x01", "utf-8", r"a.txt holds zero bytes, so it is not plain text"),
        (b"\xff\xfe\xfd", "utf-16", r"is not utf-16 text.*--encoding utf-8"),
        (b"text", "klingon", r"There is no text encoding 'klingon'; common ones"),
        (b"text", "hex", r"There is no text encoding 'hex'"),
    ],
)
def test_a_file_that_is_no_text_is_named_with_the_place(
    tmp_path, small_blocks, content, encoding, message
):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        survey(tmp_path / "a.txt", encoding)


def test_folders_without_text_are_explained(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file or folder .*nowhere: check the name"):
        find_texts(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="has no text file.*it is empty"):
        find_texts(tmp_path)
    (tmp_path / "b.docx").write_bytes(b"x")
    with pytest.raises(FileNotFoundError, match="it holds b.docx and 0 more. Name a single file"):
        find_texts(tmp_path)
    assert find_texts(tmp_path / "b.docx") == [tmp_path / "b.docx"]
    (tmp_path / "a.txt").touch()
    with pytest.raises(ValueError, match="Every text in .* is empty"):
        survey(tmp_path)


def test_unknown_tokenizers_are_named(tmp_path):
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")
    with pytest.raises(ValueError, match="Unknown tokenizer 'word', expected one of char, byte"):
        make_tokenizer("word", survey(tmp_path))


def test_a_text_too_short_for_the_context_is_explained():
    with pytest.raises(ValueError, match="has 30 tokens, 27 of them.*context of 64 needs 65"):
        hold_out(np.zeros(30), 64)
    train, validation = hold_out(np.arange(1000), 64)
    assert (len(train), validation[0], len(validation)) == (900, 900, 100)


def test_damaged_token_files_are_named(tmp_path):
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    found = survey(tmp_path)
    with pytest.raises(FileNotFoundError, match="was not tokenised there"):
        open_tokens(tmp_path)
    write_tokens(found, make_tokenizer("byte", found), tmp_path)
    whole = (tmp_path / "tokens.bin").read_bytes()
    for damage in (whole[:-2], bytes([whole[0] ^ 1]) + whole[1:]):
        (tmp_path / "tokens.bin").write_bytes(damage)
        with pytest.raises(ValueError, match="tokens.bin is damaged"):
            open_tokens(tmp_path)
    (tmp_path / "tokens.bin").unlink()
    with pytest.raises(ValueError, match="cannot be read"):
        open_tokens(tmp_path)


def test_nothing_is_left_behind_when_the_disk_is_full(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    found = survey(tmp_path)
    monkeypatch.setattr("os.replace", _full)
    with pytest.raises(OSError, match="No space left"):
        write_tokens(found, make_tokenizer("byte", found), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def _full(*_):
    raise OSError(28, "No space left on device")


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
@pytest.mark.parametrize("lines", [True, False], ids=["100 MB of lines", "one line of 50 MB"])
def test_memory_does_not_grow_with_the_text(tmp_path, lines):
    part = TEXT.encode() if lines else TEXT.replace("\n", "").replace(" ", "").encode()
    with (tmp_path / "a.txt").open("wb") as file:
        for _ in range((100_000_000 if lines else 50_000_000) // len(part)):
            file.write(part)
    code = f"""
from llmtrain101 import texts
def peak():
    status = open("/proc/self/status", encoding="utf-8").read()
    return int(status.split("VmHWM:")[1].split()[0]) / 1000
texts.bytes_().encode("warm")
before = peak()
found = texts.survey({str(tmp_path / "a.txt")!r})
texts.write_tokens(found, texts.make_tokenizer("char", found), {str(tmp_path)!r})
print(peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < float(done.stdout) < 100  # megabytes; measured: about 30, for any size of text
