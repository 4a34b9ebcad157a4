"""Text files of any size to token ids on disk, a piece at a time.

A gigabyte is read as a stream: memory stays that of a few pieces. Batches are then taken from the
token file, which numpy maps into memory page by page.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmtrain101.folders import replacing
from llmtrain101.progress import bar
from llmtrain101.tokens import Tokenizer, bpe, bytes_, characters, last_cut

KINDS = ("char", "byte", "bpe")
ENDINGS = (".txt", ".text", ".md", ".rst", ".tex", ".py")
"""The files of a folder that count as its texts; a file named by itself may end as it likes."""

_BLOCK = 1 << 20  # bytes read at once
_SLOW = 10_000_000  # bytes; less is done before a progress bar could be read
_BPE_SAMPLE = 16_000_000  # characters: merges learnt from more text hardly differ


@dataclass(frozen=True)
class Survey:
    """What one pass over the texts found; `files` are in the order in which they are read.

    `n_bytes` counts the text as UTF-8, which the files need not be in.
    """

    files: tuple[Path, ...]
    encoding: str
    n_bytes: int
    n_characters: int
    sha256: str
    alphabet: str


@dataclass(frozen=True)
class TokenFile:
    """Token ids on disk: `ids` of shape (n_tokens,), and what they were made from."""

    ids: NDArray[Any]
    text_sha256: str
    n_bytes: int


def find_texts(path: str | Path) -> list[Path]:
    """The text files of a folder and the folders in it, sorted by name; or the one file named.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `path`, or no text in the folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b.txt", "a.md", "picture.png", ".hidden.txt"):
    ...         _ = (Path(folder) / name).write_text("x", encoding="utf-8")
    ...     [file.name for file in find_texts(folder)]
    ['a.md', 'b.txt']
    """
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise FileNotFoundError(f"There is no file or folder {path}: check the name.")
    inside = {file.relative_to(path).as_posix(): file for file in path.rglob("*")}
    visible = [name for name in sorted(inside) if not any(p[:1] == "." for p in name.split("/"))]
    files = [name for name in visible if inside[name].is_file()]
    texts = [name for name in files if inside[name].suffix.lower() in ENDINGS]
    if not texts:
        found = f"it holds {files[0]} and {len(files) - 1} more" if files else "it is empty"
        raise FileNotFoundError(
            f"The folder {path} has no text file ({', '.join(ENDINGS)}): {found}. "
            "Name a single file if its name ends otherwise."
        )
    return [inside[name] for name in texts]


def read_pieces(path: Path, encoding: str = "utf-8") -> Iterator[str]:
    """The text of a file in pieces of about a megabyte; every line end becomes `"\\n"`.

    Raises
    ------
    ValueError
        If the bytes are not text in this encoding: the message names file and offset.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "dos.txt"
    ...     _ = file.write_bytes(b"one\\r\\ntwo")
    ...     list(read_pieces(file))
    ['one\\ntwo']
    """
    try:
        b"x".decode(encoding, "ignore")
    except LookupError:
        raise ValueError(
            f"There is no text encoding {encoding!r}; common ones: utf-8, latin-1, cp1252, utf-16."
        ) from None
    # "-sig" drops the mark that some editors put at the start of a file
    decoder = codecs.getincrementaldecoder("utf-8-sig" if _is_utf8(encoding) else encoding)()
    lines = io.IncrementalNewlineDecoder(decoder, translate=True)
    done = 0
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            try:
                piece = lines.decode(block, final=not block)
            except UnicodeDecodeError as error:
                # the decoder's object is the end of all that it was given
                offset = done + len(block) - len(error.object) + error.start
                raise ValueError(_not_text(path, encoding, offset, error)) from None
            if "\x00" in piece:
                raise ValueError(f"{path} holds zero bytes, so it is not plain text.{_EXPORT}")
            if piece:
                yield piece
            if not block:
                return
            done += len(block)


_EXPORT = " Save a PDF or a word processor's file as plain text first."


def _is_utf8(encoding: str) -> bool:
    return codecs.lookup(encoding).name == "utf-8"


def _not_text(path: Path, encoding: str, offset: int, error: UnicodeDecodeError) -> str:
    byte = error.object[error.start]
    guess = "utf-16" if offset == 0 and byte in (0xFE, 0xFF) else "latin-1"
    other = guess if _is_utf8(encoding) else "utf-8"
    return (
        f"{path} is not {encoding} text: byte {offset} (0x{byte:02x}) cannot be read. "
        f"If it was written in another encoding, name it, for example encoding={other!r} in a "
        f"notebook, --encoding {other} on the command line.{_EXPORT}"
    )


def survey(path: str | Path, encoding: str = "utf-8", *, show: bool = False) -> Survey:
    """Read all the texts once: are they text, how much, which characters, and a fingerprint.

    Raises
    ------
    ValueError
        If there is no character in them, or a file is not text.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a.txt").write_text("abba", encoding="utf-8")
    ...     found = survey(folder)
    >>> found.n_bytes, found.n_characters, found.alphabet
    (4, 4, 'ab')
    """
    files = find_texts(path)
    seen, digest, n_bytes, n_characters = np.zeros(0x110000, np.bool_), hashlib.sha256(), 0, 0
    size = sum(file.stat().st_size for file in files)
    with bar(size, "reading", unit="byte", show=show and size > 10 * _SLOW) as progress:
        for file in files:
            for piece in read_pieces(file, encoding):
                seen[np.frombuffer(piece.encode("utf-32-le"), np.uint32)] = True
                digest.update(encoded := piece.encode())
                n_bytes += len(encoded)
                n_characters += len(piece)
                progress.update(len(encoded))
            digest.update(b"\xff")  # a byte that UTF-8 never has: where one file ends
    if not n_characters:
        empty = f"{path} is empty" if Path(path).is_file() else f"Every text in {path} is empty"
        raise ValueError(f"{empty}: there is no text to read.")
    alphabet = "".join(map(chr, np.flatnonzero(seen)))
    return Survey(tuple(files), encoding, n_bytes, n_characters, digest.hexdigest(), alphabet)


def make_tokenizer(kind: str, texts: Survey, vocab_size: int = 2000) -> Tokenizer:
    """A tokenizer for these texts.

    Characters take their alphabet from all of the text, so that the held-out part can be written;
    BPE learns its merges from the first 90 %, at most 16 million characters spread evenly over it.

    Parameters
    ----------
    kind : {"char", "byte", "bpe"}
    texts : Survey
    vocab_size : int
        For BPE only.

    Examples
    --------
    >>> texts = Survey((), "utf-8", 5, 5, "", "abc")
    >>> make_tokenizer("char", texts).encode("cab")
    [2, 0, 1]
    """
    if kind == "char":
        return characters(texts.alphabet)
    if kind == "byte":
        return bytes_()
    if kind == "bpe":
        return bpe(_sample(texts), vocab_size)
    raise ValueError(f"Unknown tokenizer {kind!r}, expected one of {', '.join(KINDS)}.")


def _sample(texts: Survey) -> Iterator[str]:
    every, seen = -(-texts.n_characters // _BPE_SAMPLE), 0
    pieces = (piece for file in texts.files for piece in read_pieces(file, texts.encoding))
    for i, piece in enumerate(pieces):
        if i % every == 0:
            yield piece[: max(0, texts.n_characters * 9 // 10 - seen)]
        seen += len(piece)


def write_tokens(
    texts: Survey, tokenizer: Tokenizer, folder: str | Path, *, show: bool = False
) -> TokenFile:
    """Turn the texts into ids in `folder`, each text followed by the end token.

    Parameters
    ----------
    texts : Survey
    tokenizer : Tokenizer
    folder : path
        Gets `tokens.bin` (2 bytes a token; 4 if the vocabulary is larger than 65,536) and
        `tokens.json`, written last.
    show : bool
        Whether to draw a progress bar where it takes long.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
    ...     _ = (Path(folder) / "a.txt").write_text("hi", encoding="utf-8")
    ...     found = survey(folder)
    ...     write_tokens(found, make_tokenizer("byte", found), folder).ids.tolist()
    [104, 105, 256]
    """
    folder = Path(folder)
    dtype = np.dtype("<u2" if tokenizer.vocab_size <= 1 << 16 else "<u4")
    digest, n_tokens = hashlib.sha256(), 0
    (folder / "tokens.json").unlink(missing_ok=True)
    with (
        bar(
            texts.n_characters, "tokenising", unit="character", show=show and texts.n_bytes > _SLOW
        ) as progress,
        replacing(folder / "tokens.bin") as part,
        part.open("wb") as out,
    ):
        for file in texts.files:
            for whole in _whole_words(read_pieces(file, texts.encoding)):
                ids = tokenizer.encode_array(whole).astype(dtype).tobytes()
                digest.update(ids)
                out.write(ids)
                n_tokens += len(ids) // dtype.itemsize
                progress.update(len(whole))
            end = dtype.type(tokenizer.end_id).tobytes()
            digest.update(end)
            out.write(end)
            n_tokens += 1
    facts = {
        "dtype": dtype.str,
        "n_tokens": n_tokens,
        "sha256": digest.hexdigest(),
        "text_sha256": texts.sha256,
        "n_bytes": texts.n_bytes,
    }
    with replacing(folder / "tokens.json") as part:
        part.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8", newline="\n")
    return open_tokens(folder)


def _whole_words(pieces: Iterator[str]) -> Iterator[str]:
    """The same text, cut where no tokenizer here would have joined."""
    rest = ""
    for piece in pieces:
        rest += piece
        cut = last_cut(rest) or len(rest)  # a megabyte without a space is cut anywhere
        yield rest[:cut]
        rest = rest[cut:]
    if rest:
        yield rest


def open_tokens(folder: str | Path) -> TokenFile:
    """The ids that `write_tokens` wrote, mapped into memory, not read.

    Raises
    ------
    FileNotFoundError
        If there are none, or writing them was cut off.
    ValueError
        If the file is damaged.

    See Also
    --------
    write_tokens : returns the same.
    """
    folder = Path(folder)
    if not (folder / "tokens.json").is_file():
        raise FileNotFoundError(f"{folder} has no tokens.json: the text was not tokenised there.")
    try:
        facts = json.loads((folder / "tokens.json").read_text(encoding="utf-8"))
        ids = np.memmap(folder / "tokens.bin", dtype=np.dtype(str(facts["dtype"])), mode="r")
        with (folder / "tokens.bin").open("rb") as file:
            whole = hashlib.file_digest(file, "sha256").hexdigest() == facts["sha256"]
        found = TokenFile(ids, str(facts["text_sha256"]), int(facts["n_bytes"]))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"The tokens in {folder} cannot be read: {error}") from None
    if not whole or len(ids) != facts["n_tokens"]:
        raise ValueError(f"{folder / 'tokens.bin'} is damaged: it is not what was written.")
    return found


def hold_out(
    ids: NDArray[Any], context_length: int, share: float = 0.1
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The ids to train on and the last `share` of them, to validate on.

    Raises
    ------
    ValueError
        If there are too few for one window of `context_length` in training.

    Examples
    --------
    >>> [part.tolist() for part in hold_out(np.arange(20), context_length=4)]
    [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17], [18, 19]]
    """
    n_train = len(ids) - max(2, round(len(ids) * share))  # 2: one token to predict the other from
    if n_train < context_length + 1:
        raise ValueError(
            f"The text has {len(ids)} tokens, {max(0, n_train)} of them to train on; a context of "
            f"{context_length} needs {context_length + 1}. Give more text, or a smaller "
            "--context-length."
        )
    return ids[:n_train], ids[n_train:]
