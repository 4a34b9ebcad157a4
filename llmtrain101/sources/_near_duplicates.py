"""Which texts are copies of one another but for a few words: an exact search, not a sample.

MinHash with LSH, the usual method, misses some pairs by chance. At these sizes nothing need be
missed: two texts that share enough must share one of the *rarest* things in them, so only texts
with a rare thing in common are compared (prefix filtering; Chaudhuri, Ganti and Kaushik 2006;
Xiao, Wang, Lin and Yu 2008). There is no randomness, and 59,000 texts take seconds on one core.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

WORD = re.compile(r"\w+")
_ROUNDING = 1e-9
_CHUNK = 5_000_000  # shingles compared at a time: some 100 MB


def near_duplicates(
    texts: Iterable[str], *, words: int = 3, threshold: float = 0.5
) -> NDArray[np.int64]:
    """Number the texts so that near-duplicates have the same number.

    Two texts are near-duplicates if, of all runs of three words that are in either, at least half
    are in both: their Jaccard similarity over word 3-shingles is at least 0.5. Case, punctuation
    and spacing do not count; a text shorter than three words is one run. What is linked by a chain
    of near-duplicates has one number too, though its ends may differ more.

    Parameters
    ----------
    texts : iterable of str
        n texts. A text without any word is a near-duplicate of its equals only.
    words : int
        Length of the runs. Long runs (5 is common for web pages) overlook changes in short texts:
        one word changed in the middle of 28 leaves a similarity of 0.66 with 5, 0.79 with 3.
    threshold : float in (0, 1]
        The least similarity.

    Returns
    -------
    int64 array of shape (n,)
        Group of each text; groups are numbered from 0 in the order of their first text.

    Raises
    ------
    TypeError
        If something is not a str, or if `texts` itself is one.
    ValueError
        If `words` or `threshold` is out of range.

    Examples
    --------
    >>> near_duplicates([
    ...     "Return the mean of the values along an axis.",
    ...     "Return the sum of the squares.",
    ...     "Return the mean of the values along one axis!",
    ...     "return   the sum of the SQUARES",
    ... ]).tolist()
    [0, 1, 0, 1]
    """
    import numpy as np
    from scipy import sparse

    if isinstance(texts, str):
        raise TypeError("near_duplicates() compares several texts: give a list, not one str.")
    if words < 1:
        raise ValueError(f"words must be at least 1, got {words}.")
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must be above 0 and at most 1, got {threshold}.")
    first, text, shingle = _shingles(texts, words)
    if not len(first):
        return first

    # Each text as a sorted row of shingles, numbered so that the rarest come first.
    n_texts, n_shingles = int(text[-1]) + 1, int(shingle.max()) + 1
    key = np.sort(text * n_shingles + shingle)
    text, shingle = np.divmod(key[np.diff(key, prepend=-1) > 0], n_shingles)
    rank = np.empty(n_shingles, np.int64)
    rank[np.argsort(np.bincount(shingle, minlength=n_shingles), kind="stable")] = np.arange(
        n_shingles
    )
    text, shingle = np.divmod(np.sort(text * n_shingles + rank[shingle]), n_shingles)
    size = np.bincount(text, minlength=n_texts)
    start = np.cumsum(size) - size
    place = np.arange(len(text)) - start[text]
    table = sparse.csr_array(
        (np.ones(len(text), np.int32), shingle, np.append(start, len(text))),
        shape=(n_texts, n_shingles),
    )

    # A similar text has at least threshold · size of these shingles. If it had none of the first
    # size - threshold · size + 1, there would be too few left.
    early = place <= size[text] - np.ceil(threshold * size[text] - _ROUNDING)
    text, shingle, place = text[early], shingle[early], place[early]
    order = np.lexsort((text, size[text], shingle))
    text, shingle, place = text[order], shingle[order], place[order]

    label = np.arange(n_texts)
    ones: list[Integers] = []
    others: list[Integers] = []
    active, distance = np.arange(len(text)), 0
    while len(active := active[active < len(text) - distance - 1]):
        distance += 1  # each text with the one `distance` further in the list of a shingle
        active = active[shingle[active] == shingle[active + distance]]
        a, b = text[active], text[active + distance]
        similar_size = size[a] >= threshold * size[b] - _ROUNDING  # a is not longer than b
        active, a, b = active[similar_size], a[similar_size], b[similar_size]
        # what is shared from here on, at most, must do (it does if this is the first shared one)
        at_most = np.minimum(size[a] - place[active], size[b] - place[active + distance])
        hopeful = at_most * (1 + threshold) >= threshold * (size[a] + size[b]) - _ROUNDING
        hopeful &= label[a] != label[b]
        a, b = np.divmod(np.unique(a[hopeful] * n_texts + b[hopeful]), n_texts)
        similar = _similarity(table, size, a, b) >= threshold - _ROUNDING
        if similar.any():
            ones.append(a[similar])
            others.append(b[similar])
            label = _components(n_texts, ones, others)
            # a list whose texts are all in one group has nothing more to say
            begins = np.flatnonzero(np.diff(shingle, prepend=-1))
            low = np.minimum.reduceat(label[text], begins)
            high = np.maximum.reduceat(label[text], begins)
            mixed = np.repeat(low != high, np.diff(begins, append=len(text)))
            active = active[mixed[active]]
    return _numbered(label[first])


def _shingles(texts: Iterable[str], words: int) -> tuple[Integers, Integers, Integers]:
    """Runs of words of each different text, with the number of that text.

    Returns
    -------
    int64 arrays of shapes (n,), (m,), (m,)
        For each text given, which different text it is; for each run, the different text that it
        is in, ascending, and a number that equal runs share. Numbers, not hashes: no collisions.
    """
    import numpy as np

    different: dict[str, int] = {}  # copies but for case and spacing are taken together at once
    vocabulary: dict[str, int] = {}
    first: list[int] = []
    ids: list[int] = []
    lengths: list[int] = []
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(
                f"texts[{len(first)}] is {text!r}, not a str; drop or fill what is missing."
            )
        found = WORD.findall(text.lower()) or [text]
        number = different.setdefault(" ".join(found), len(different))
        first.append(number)
        if number == len(lengths):
            lengths.append(len(found))
            ids += [vocabulary.setdefault(word, len(vocabulary) + 1) for word in found]

    word, length = np.array(ids, np.int64), np.array(lengths, np.int64)
    position = np.arange(len(word))
    begins = np.repeat(np.cumsum(length) - length, length)
    left = np.repeat(length, length) - (position - begins)  # words from here to the end of the text
    base = len(vocabulary) + 1
    run, bound = word.copy(), base
    for step in range(1, words):
        if bound > np.iinfo(np.int64).max // base:  # no room for one more word: number them anew
            run = np.unique(run, return_inverse=True)[1]
            bound = int(run.max()) + 1
        following = np.append(word[step:], np.zeros(min(step, len(word)), np.int64))
        run = run * base + np.where(left > step, following, 0)
        bound *= base
    run = np.unique(run, return_inverse=True)[1]
    whole = (left >= words) | (position == begins)
    return np.array(first, np.int64), np.repeat(np.arange(len(length)), length)[whole], run[whole]


def _similarity(table: Any, size: Integers, a: Integers, b: Integers) -> NDArray[np.float64]:
    """Jaccard similarity of rows `a[i]` and `b[i]`, exactly."""
    import numpy as np

    if not len(a):
        return np.empty(0)
    chunk = np.cumsum(size[a] + size[b]) // _CHUNK
    shared = np.concatenate(
        [
            np.asarray(table[a[part]].multiply(table[b[part]]).sum(axis=1))
            for part in np.split(np.arange(len(a)), np.flatnonzero(np.diff(chunk)) + 1)
        ]
    )
    similarity: NDArray[np.float64] = shared / (size[a] + size[b] - shared)
    return similarity


def _components(n: int, ones: list[Integers], others: list[Integers]) -> Integers:
    """Number of the connected component of each of n nodes."""
    import numpy as np
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    a, b = np.concatenate(ones), np.concatenate(others)
    links = sparse.coo_array((np.ones(len(a), np.int8), (a, b)), shape=(n, n))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)


def _numbered(label: Integers) -> Integers:
    """The same groups, numbered from 0 in the order of their first member."""
    import numpy as np

    _, begins, group = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(begins), np.int64)
    rank[np.argsort(begins)] = np.arange(len(begins))
    return rank[group]
