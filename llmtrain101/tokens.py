"""Text to token ids and back: characters, bytes and byte-level BPE.

The `tokenizers` library does the work; here are the three recipes that the course compares, special
tokens that no text can forge, and the files that `transformers.AutoTokenizer` reads.

Special tokens come after the ordinary ones: `<|endoftext|>` ends (and so begins) every text,
`<|pad|>` fills batches, `<|mask|>` hides a token where asked for, and `<|unknown|>` stands for a
character that the alphabet lacks (characters only: bytes and BPE can write any text).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
from numpy.typing import NDArray
from tokenizers import AddedToken, decoders, models, pre_tokenizers, trainers

from llmtrain101.folders import replacing

END, PAD, MASK, UNKNOWN = "<|endoftext|>", "<|pad|>", "<|mask|>", "<|unknown|>"
N_BYTES = 256

_PIECE = 1 << 16  # characters; the library spends some 100 bytes of memory on each token of a piece
_CUT = re.compile(r"\S(?=[ \n])")
_LARGEST_FILE = 1 << 26  # 64 MiB: twice the largest vocabulary in use


class Tokenizer:
    """A vocabulary and the rule that cuts text into its entries.

    Made by `characters`, `bytes_` or `bpe`, or read by `Tokenizer.load`. Special tokens are never
    found in a text, even if it spells one out: only `end_id`, `pad_id` and `mask_id` give them.

    Examples
    --------
    >>> tokenizer = characters(["to be"])
    >>> tokenizer.encode("bet")
    [1, 2, 4]
    >>> tokenizer.decode([1, 2, 4])
    'bet'
    """

    def __init__(self, backend: tokenizers.Tokenizer, special: dict[str, str]) -> None:
        self.backend = backend
        self.backend.encode_special_tokens = True  # a text that spells a special token stays text
        self.special = special  # role, as in tokenizer_config.json ("eos_token"), to token

    @cached_property
    def kind(self) -> str:
        """`"char"`, `"byte"`, `"bpe"`, or `"other"` for a tokenizer that was made elsewhere."""
        settings = json.loads(self.backend.to_str())
        model, cutter = settings["model"], settings["pre_tokenizer"]
        if model["type"] != "BPE" or settings["normalizer"]:
            return "other"
        if cutter is None and not model["merges"] and model["unk_token"] and not model["fuse_unk"]:
            return "char"
        if not cutter or cutter["type"] != "ByteLevel" or cutter["add_prefix_space"]:
            return "other"
        return "bpe" if model["merges"] or cutter["use_regex"] else "byte"

    @property
    def vocab_size(self) -> int:
        """Number of different ids, special tokens included."""
        return int(self.backend.get_vocab_size())

    @property
    def end_id(self) -> int:
        """The id that ends a text, and that a new text is generated from."""
        return self._special_id("eos_token")

    @property
    def pad_id(self) -> int:
        """The id that fills a batch of texts of different lengths."""
        return self._special_id("pad_token")

    @property
    def mask_id(self) -> int:
        """The id that hides a token; a tokenizer has it if made with `mask=True`."""
        return self._special_id("mask_token")

    def _special_id(self, role: str) -> int:
        if role not in self.special:
            has = ", ".join(sorted(self.special)) or "none"
            hint = " Make it with mask=True." if role == "mask_token" else ""
            raise ValueError(f"This tokenizer has no {role}; it has: {has}.{hint}")
        found: int | None = self.backend.token_to_id(self.special[role])
        assert found is not None  # `load` and the makers keep only tokens that have an id
        return found

    def encode(self, text: str) -> list[int]:
        """The ids of a text; nothing is added at its ends.

        Raises
        ------
        ValueError
            If the text holds half a character (a lone surrogate), which no file can hold either.
        """
        ids: list[int] = self.encode_array(text).tolist()
        return ids

    def encode_many(self, texts: Iterable[str]) -> list[list[int]]:
        """The ids of each text; quicker than one by one where there are several processors.

        Examples
        --------
        >>> bytes_().encode_many(["ab", ""])
        [[97, 98], []]
        """
        texts = list(texts)
        for text in texts:
            _utf8(text)
        return [one.ids for one in self.backend.encode_batch_fast(texts, add_special_tokens=False)]

    def encode_array(self, text: str) -> NDArray[np.int32]:
        """The ids of a long text as an array of shape (n_tokens,), in bounded extra memory.

        Examples
        --------
        >>> bytes_().encode_array("é").tolist()
        [195, 169]
        """
        if self.kind == "byte":
            return np.frombuffer(_utf8(text), np.uint8).astype(np.int32)
        if self.kind == "char":
            _utf8(text)
            return self._by_character[np.frombuffer(text.encode("utf-32-le"), np.uint32)]
        if self.kind == "other":  # whoever made it may look across any place where we would cut
            return np.array(self.encode_many([text])[0], np.int32)
        pieces, found = pieces_of(text), [np.empty(0, np.int32)]
        while group := list(islice(pieces, 16)):
            found += [np.array(ids, np.int32) for ids in self.encode_many(group)]
        return np.concatenate(found)

    @cached_property
    def _by_character(self) -> NDArray[np.int32]:
        """The id of each code point: the same as the library, 20 times as fast."""
        unknown = self.backend.token_to_id(self.special["unk_token"])
        table = np.full(0x110000, unknown, np.int32)
        for token, i in self.backend.get_vocab(with_added_tokens=False).items():
            if len(token) == 1:
                table[ord(token)] = i
        return table

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """The text of the ids; half a character (bytes, BPE) becomes `"\\ufffd"`.

        Examples
        --------
        >>> tokenizer = bytes_()
        >>> tokenizer.decode([104, 105, tokenizer.end_id])
        'hi<|endoftext|>'
        """
        return str(self.backend.decode(list(ids), skip_special_tokens=skip_special_tokens))

    def byte_lengths(self) -> NDArray[np.int64]:
        """Bytes of UTF-8 text that each id stands for, shape (V,); 0 for special tokens.

        Bits per byte need it: a loss per token says nothing across tokenizers.

        Examples
        --------
        >>> characters(["aé"]).byte_lengths().tolist()
        [1, 2, 0, 0, 0]
        """
        if self.kind == "other":
            raise ValueError(
                "The bytes of each token are known only for tokenizers that llmtrain101 made: "
                "count the bytes of the text itself."
            )
        lengths = np.zeros(self.vocab_size, np.int64)
        special = set(self.special.values())
        for token, i in self.backend.get_vocab().items():
            if token not in special:  # byte-level tokens are written with one character a byte
                lengths[i] = len(token.encode()) if self.kind == "char" else len(token)
        return lengths

    def files(self) -> dict[str, str]:
        """Name and content of each file that `save` writes."""
        config: dict[str, Any] = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            **self.special,
            "clean_up_tokenization_spaces": False,  # else decoding would drop spaces before "."
            "split_special_tokens": self.backend.encode_special_tokens,
        }
        return {
            "tokenizer.json": self.backend.to_str(pretty=True),
            "tokenizer_config.json": json.dumps(config, indent=2) + "\n",
        }

    def save(self, folder: str | Path) -> None:
        """Write `tokenizer.json` and `tokenizer_config.json`, which `AutoTokenizer` reads too."""
        for name, content in self.files().items():
            with replacing(Path(folder) / name) as part:
                part.write_text(content, encoding="utf-8", newline="\n")

    @classmethod
    def load(cls, folder: str | Path) -> Tokenizer:
        """Read what `save`, or `transformers`, has written.

        Raises
        ------
        FileNotFoundError
            If the folder has no `tokenizer.json`.
        ValueError
            If a file is no tokenizer, or larger than 64 MiB.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     bytes_().save(folder)
        ...     Tokenizer.load(folder).encode("hi")
        [104, 105]
        """
        path, config_path = (Path(folder) / n for n in ("tokenizer.json", "tokenizer_config.json"))
        if not path.is_file():
            raise FileNotFoundError(
                f"{folder} has no tokenizer.json: name a folder that `llmtrain101 train` made, or "
                "save the tokenizer there."
            )
        for file in (path, config_path):
            if file.is_file() and file.stat().st_size > _LARGEST_FILE:
                raise ValueError(f"{file} is larger than 64 MiB, so it is not read.")
        try:
            backend = tokenizers.Tokenizer.from_str(path.read_text(encoding="utf-8"))
        except Exception as error:  # the library raises bare Exception
            raise ValueError(f"{path} is not a tokenizer, or is damaged: {error}") from None
        try:
            text = config_path.read_text(encoding="utf-8") if config_path.is_file() else "{}"
            config = dict(json.loads(text))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{config_path} is damaged: {error}") from None
        special = {}
        for role in ("bos_token", "eos_token", "pad_token", "mask_token", "unk_token"):
            token = config.get(role)
            token = token.get("content") if isinstance(token, dict) else token
            if isinstance(token, str) and backend.token_to_id(token) is not None:
                special[role] = token
        return cls(backend, special)


def characters(texts: str | Iterable[str], *, mask: bool = False) -> Tokenizer:
    """One token for each different character; other characters become `<|unknown|>`.

    Parameters
    ----------
    texts : str or iterable of str
        Their characters, sorted, are the alphabet.
    mask : bool
        Whether to add `<|mask|>`.

    Examples
    --------
    >>> tokenizer = characters(["abba"])
    >>> tokenizer.decode(tokenizer.encode("cab"))
    '<|unknown|>ab'
    """
    alphabet: set[str] = set()
    for text in _several(texts):
        _utf8(text)
        alphabet.update(text)
    if not alphabet:
        raise ValueError("There is no character in these texts, so there is no alphabet to make.")
    vocab = {character: i for i, character in enumerate(sorted(alphabet))}
    vocab[UNKNOWN] = len(vocab)
    # BPE without merges leaves every character by itself
    backend = tokenizers.Tokenizer(models.BPE(vocab, [], unk_token=UNKNOWN, fuse_unk=False))
    backend.decoder = decoders.Fuse()
    return _with_special(backend, mask, unk_token=UNKNOWN)


def bytes_(*, mask: bool = False) -> Tokenizer:
    """One token for each of the 256 bytes of UTF-8, its id the byte: any text, no training.

    Examples
    --------
    >>> bytes_().encode("Aé")
    [65, 195, 169]
    """
    # the library writes the byte 32 as "Ġ", and so on: printable characters for all 256
    vocab = {character: byte for byte, character in enumerate(_byte_characters())}
    backend = tokenizers.Tokenizer(models.BPE(vocab, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    return _with_special(backend, mask)


def bpe(texts: str | Iterable[str], vocab_size: int, *, mask: bool = False) -> Tokenizer:
    """Byte pair encoding: start from bytes, join the commonest pair, repeat (Sennrich et al. 2016).

    Text is first cut into words, each with the space before it, by GPT-2's rule. The same texts
    give the same tokenizer, however many processors there are.

    Parameters
    ----------
    texts : str or iterable of str
        What the pairs are counted in.
    vocab_size : int
        Ids in all; fewer come out when no pair occurs twice any more.
    mask : bool
        Whether to add `<|mask|>`.

    Examples
    --------
    >>> tokenizer = bpe(["low lower lowest"] * 9, vocab_size=300)
    >>> [tokenizer.decode([i]) for i in tokenizer.encode("low lowest lower")]
    ['low', ' lowest', ' lower']
    """
    n_special = 3 if mask else 2
    if vocab_size < N_BYTES + n_special:
        raise ValueError(
            f"vocab_size must be at least {N_BYTES + n_special} (256 bytes and {n_special} special "
            f"tokens), got {vocab_size}."
        )
    backend = tokenizers.Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - n_special,
        min_frequency=2,  # a pair seen once is memorised, not learnt
        initial_alphabet=_byte_characters(),
        show_progress=False,
    )
    pieces = (piece for text in _several(texts) for piece in pieces_of(text))
    backend.train_from_iterator(pieces, trainer)
    return _with_special(backend, mask)


def pieces_of(text: str, largest: int = _PIECE) -> Iterator[str]:
    """Cut a long text where every tokenizer here cuts it anyway: before a space or a line's end.

    Only where `largest` characters hold no such place is a word cut in two.

    Examples
    --------
    >>> list(pieces_of("one two three", largest=6))
    ['one', ' two', ' three']
    """
    start = 0
    while len(text) - start > largest:
        window = text[start : start + largest]
        end = last_cut(window) or largest
        yield window[:end]
        start += end
    if start < len(text):
        yield text[start:]


def last_cut(text: str) -> int:
    """Where the last word of `text` that is surely whole ends, 0 if there is none.

    Examples
    --------
    >>> last_cut("one two thr")
    7
    """
    for reach in (1 << 10, len(text)):  # a look at the end nearly always suffices
        start = max(0, len(text) - reach)
        ends = [found.end() for found in _CUT.finditer(text, start)]
        if ends:
            return ends[-1]
    return 0


def _several(texts: str | Iterable[str]) -> Iterable[str]:
    return [texts] if isinstance(texts, str) else texts  # a string is an iterable of its letters


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"Character {error.start} of the text, {text[error.start]!r}, is half a character (a "
            "lone surrogate): read the file with the encoding it was written in."
        ) from None


def _byte_characters() -> list[str]:
    """The printable character that byte-level tokenizers write for each byte, in byte order."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = (byte for byte in range(N_BYTES) if byte not in printable)
    written = {byte: chr(byte) for byte in printable}
    written |= {byte: chr(N_BYTES + i) for i, byte in enumerate(others)}
    return [written[byte] for byte in range(N_BYTES)]


def _with_special(backend: tokenizers.Tokenizer, mask: bool, **special: str) -> Tokenizer:
    # a text begins where another ends: one token serves as both
    special |= {"bos_token": END, "eos_token": END, "pad_token": PAD}
    if mask:
        special["mask_token"] = MASK
    added = [AddedToken(token, special=True, normalized=False) for token in special.values()]
    backend.add_special_tokens(added)
    return Tokenizer(backend, special)
