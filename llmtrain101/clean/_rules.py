"""Rules on all rows: each returns as many rows as it was given, or a `Drop` in the place of one.

A rule is a function; what the functions here return is one. Your own needs only the same shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from llmtrain101.clean._standard import missing
from llmtrain101.sources import near_duplicates

Row = dict[str, Any]
LANGUAGES = tuple("ar bg cs da de el en es fi fr he hi hu id it ja ko nl no pl pt ro ru sv".split())
LANGUAGES += tuple("tr uk vi zh".split())


class Drop(str):
    """Stands in the place of a row that a rule drops, and says why.

    Examples
    --------
    >>> Drop("no label")
    Drop('no label')
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Drop({super().__repr__()})"


Rule = Callable[[list[Row]], Sequence[Row | Drop]]


def _named(name: str, rule: Rule) -> Rule:
    rule.__name__ = name
    return rule


def _by_row(name: str, each: Callable[[Row], Row | Drop]) -> Rule:
    return _named(name, lambda rows: [each(row) for row in rows])


def _value(row: Row, column: str) -> Any:
    try:
        return row[column]
    except KeyError:
        raise KeyError(
            f"no column {column!r} in a row; it has {', '.join(map(str, row))}"
        ) from None


def column(
    names: str | Iterable[str], function: Callable[[Any], Any], *, otherwise: str = "drop"
) -> Rule:
    """A rule that applies a function to a column, or to several.

    Parameters
    ----------
    names : str or iterable of str
    function : callable
        Takes a value and returns the better one. It is not asked about a missing value (None).
    otherwise : {"drop", "missing"}
        What becomes of a row for which the function raises ValueError: it is dropped with that
        reason, or the value becomes None.

    Examples
    --------
    >>> from llmtrain101 import clean
    >>> clean.column("age", clean.number)([{"age": "42"}, {"age": "old"}, {"age": None}])
    [{'age': 42}, Drop("age: 'old' is no number with '.' before the fraction"), {'age': None}]
    """
    columns = [names] if isinstance(names, str) else list(names)
    if otherwise not in ("drop", "missing"):
        raise ValueError(f"otherwise must be 'drop' or 'missing', got {otherwise!r}.")

    def each(row: Row) -> Row | Drop:
        for name in columns:
            if (value := _value(row, name)) is not None:
                try:
                    row[name] = function(value)
                except ValueError as error:
                    if otherwise == "drop":
                        return Drop(f"{name}: {error}")
                    row[name] = None
                except Exception as error:
                    error.add_note(f"in the column {name!r}, of the value {value!r:.80}")
                    raise
        return row

    called = getattr(function, "__name__", type(function).__name__)
    return _by_row(f"{', '.join(columns)}: {called}", each)


def each_text(function: Callable[[str], Any]) -> Rule:
    """A rule that applies a function to every text of a row, whatever its column.

    Examples
    --------
    >>> from llmtrain101 import clean
    >>> clean.each_text(clean.whitespace)([{"job": " Sales", "age": 25}])
    [{'job': 'Sales', 'age': 25}]
    """
    called = getattr(function, "__name__", type(function).__name__)

    def each(row: Row) -> Row:
        return {key: function(v) if isinstance(v, str) else v for key, v in row.items()}

    return _by_row(f"every text: {called}", each)


def drop_missing(*columns: str) -> Rule:
    """Drop rows in which one of the columns is missing; without columns, any of them.

    Missing is what `missing` says: None, `?`, nothing but blanks, and so on.

    Examples
    --------
    >>> drop_missing("label")([{"label": "yes"}, {"label": " "}])
    [{'label': 'yes'}, Drop('no label')]
    """

    def each(row: Row) -> Row | Drop:
        gone = [name for name in columns or row if missing(_value(row, name)) is None]
        return Drop(f"no {', no '.join(gone)}") if gone else row

    return _by_row(f"drop missing {', '.join(columns) or 'values'}", each)


def fill_missing(column: str, value: Any) -> Rule:
    """Put a value where there is none: a fixed one, or one computed from all rows.

    Parameters
    ----------
    column : str
    value : object, or callable
        A function is given the list of the values that are there, for example
        `statistics.median`. Fill with what the *training* part says, else the test part leaks.

    Examples
    --------
    >>> import statistics
    >>> fill_missing("age", statistics.median)([{"age": 3}, {"age": None}, {"age": 5}])
    [{'age': 3}, {'age': 4.0}, {'age': 5}]
    """

    def rule(rows: list[Row]) -> list[Row]:
        known = [row[column] for row in rows if missing(_value(row, column)) is not None]
        if callable(value) and not known and len(rows):
            raise ValueError(f"no row has a value in {column!r}, so that none can be computed.")
        new = value(known) if callable(value) and rows else value
        return [row if missing(row[column]) is not None else {**row, column: new} for row in rows]

    return _named(f"fill missing {column}", rule)


def drop_out_of_range(column: str, low: float, high: float) -> Rule:
    """Drop rows whose value is below `low` or above `high`; what is missing is not out of range.

    Examples
    --------
    >>> drop_out_of_range("age", 0, 120)([{"age": 35}, {"age": 350}, {"age": None}])
    [{'age': 35}, Drop('age is 350, not within 0 to 120'), {'age': None}]
    """
    if not low <= high:
        raise ValueError(f"low must not exceed high, got {low} and {high}.")

    def each(row: Row) -> Row | Drop:
        value = _value(row, column)
        if missing(value) is None or low <= value <= high:
            return row
        return Drop(f"{column} is {value!r}, not within {low} to {high}")

    return _by_row(f"drop {column} out of range", each)


def drop_inconsistent(why: str, holds: Callable[[Row], bool]) -> Rule:
    """Drop rows for which something that ought to hold does not.

    Examples
    --------
    >>> rule = drop_inconsistent("ends before it starts", lambda row: row["start"] <= row["end"])
    >>> rule([{"start": 1, "end": 2}, {"start": 3, "end": 2}])
    [{'start': 1, 'end': 2}, Drop('ends before it starts')]
    """
    return _by_row(f"drop: {why}", lambda row: row if holds(row) else Drop(why))


def drop_duplicates(*columns: str) -> Rule:
    """Keep the first of rows that are equal in the columns; without columns, in all of them.

    Rows whose columns are all None are not taken for copies of one another.

    Examples
    --------
    >>> drop_duplicates("text")([{"text": "a"}, {"text": "b"}, {"text": "a"}])
    [{'text': 'a'}, {'text': 'b'}, Drop('copy of an earlier row: a')]
    """

    def rule(rows: list[Row]) -> list[Row | Drop]:
        seen: set[Any] = set()
        out: list[Row | Drop] = []
        for row in rows:
            values = [(name, _value(row, name)) for name in columns or sorted(row)]
            key = repr(values)  # a value may be a list; and 1, True and 1.0 are not the same
            copy = key in seen and any(value is not None for _, value in values)
            seen.add(key)
            out.append(Drop(f"copy of an earlier row: {_start(row, columns)}") if copy else row)
        return out

    return _named(f"drop duplicates{_of(columns)}", rule)


def drop_near_duplicates(column: str, *, threshold: float = 0.5, words: int = 3) -> Rule:
    """Keep the first of texts that share most of their runs of words; see `near_duplicates`.

    Of a chain of near-duplicates, too, only the first is kept.

    Examples
    --------
    >>> rule = drop_near_duplicates("text")
    >>> rule([{"text": "the cat sat on the mat"}, {"text": "The cat sat on the mat today!"}])
    [{'text': 'the cat sat on the mat'}, Drop('near-duplicate of: the cat sat on the mat')]
    """

    def rule(rows: list[Row]) -> list[Row | Drop]:
        there = [n for n, row in enumerate(rows) if _value(row, column) is not None]
        out: list[Row | Drop] = list(rows)
        first: dict[int, int] = {}
        groups = near_duplicates([rows[n][column] for n in there], threshold=threshold, words=words)
        for n, group in zip(there, groups.tolist(), strict=True):
            if (kept := first.setdefault(group, n)) != n:
                out[n] = Drop(f"near-duplicate of: {_start(rows[kept], [column])}")
        return out

    return _named(f"drop near-duplicates of {column}", rule)


def drop_conflicts(column: str, label: str, *, near: bool = False) -> Rule:
    """Drop all rows whose text has another label elsewhere: nobody can tell which one is right.

    Parameters
    ----------
    column, label : str
    near : bool
        Whether near-duplicates count as the same text.

    Examples
    --------
    >>> rule = drop_conflicts("text", "label")
    >>> rule([{"text": "Hi", "label": 0}, {"text": "hi ", "label": 1}, {"text": "Bye", "label": 1}])
    [Drop("labelled 0, 1: 'Hi'"), Drop("labelled 0, 1: 'hi '"), {'text': 'Bye', 'label': 1}]
    """

    def rule(rows: list[Row]) -> list[Row | Drop]:
        there = [row for row in rows if _value(row, column) is not None]
        keys: Iterable[Any]
        if near:
            keys = near_duplicates([row[column] for row in there]).tolist()
        else:
            keys = [" ".join(str(row[column]).casefold().split()) for row in there]
        key_of = dict(zip(map(id, there), keys, strict=True))
        labels: dict[Any, set[str]] = {}
        for row in there:
            if _value(row, label) is not None:
                labels.setdefault(key_of[id(row)], set()).add(str(row[label]))
        out: list[Row | Drop] = []
        for row in rows:
            given = labels.get(key_of.get(id(row)), ())
            said = f"labelled {', '.join(sorted(given))}: {row[column]!r:.60}"
            out.append(Drop(said) if len(given) > 1 else row)
        return out

    return _named(f"drop conflicting {label}", rule)


def keep_length(column: str, least: int = 1, most: int = 10**9, *, unit: str = "words") -> Rule:
    """Keep texts of `least` to `most` words or characters; a missing text has none.

    Examples
    --------
    >>> keep_length("text", least=2)([{"text": "two words"}, {"text": "one"}])
    [{'text': 'two words'}, Drop('1 words, fewer than 2: one')]
    """
    if unit not in ("words", "characters"):
        raise ValueError(f"unit must be 'words' or 'characters', got {unit!r}.")

    def each(row: Row) -> Row | Drop:
        text = _value(row, column) or ""
        length = len(text.split()) if unit == "words" else len(text)
        if least <= length <= most:
            return row
        bound = f"fewer than {least}" if length < least else f"more than {most}"
        return Drop(f"{length} {unit}, {bound}: {_start(row, [column])}")

    return _by_row(f"keep length of {column}", each)


def keep_language(
    column: str, language: str = "en", *, letters: int = 40, among: Iterable[str] = LANGUAGES
) -> Rule:
    """Keep texts in one language, as py3langid sees it in their first 1,000 characters.

    Parameters
    ----------
    column, language : str
        The language by its two letters of ISO 639-1.
    letters : int
        A text with fewer letters is kept unseen: a guess from a few words is wrong too often.
    among : iterable of str
        The languages that are thought possible. The fewer, the surer.

    Raises
    ------
    ValueError
        If py3langid does not know one of the languages.

    Examples
    --------
    >>> texts = ["The mean of all the values that are in the given array along one of its axes.",
    ...          "La moyenne de toutes les valeurs qui se trouvent dans le tableau donné.", "Oui"]
    >>> kept = keep_language("text")([{"text": text} for text in texts])
    >>> [isinstance(row, Drop) for row in kept]
    [False, True, False]
    """
    import py3langid

    possible = {*among, language}
    if unknown := possible - {name for name, _ in py3langid.rank("")}:
        raise ValueError(
            f"{min(unknown)!r} is none of the languages that py3langid knows, such as "
            f"{', '.join(LANGUAGES)}."
        )

    def each(row: Row) -> Row | Drop:
        text = (_value(row, column) or "")[:1000]
        if sum(map(str.isalpha, text)) < letters:
            return row
        found = next(name for name, _ in py3langid.rank(text) if name in possible)
        return row if found == language else Drop(f"looks {found}: {_start(row, [column])}")

    return _by_row(f"keep language {language}", each)


def _of(columns: Sequence[str]) -> str:
    return f" of {', '.join(columns)}" if columns else ""


def _start(row: Row, columns: Iterable[str]) -> str:
    values = [row[name] for name in columns] or list(row.values())
    text = " ".join(" | ".join(map(str, values)).split())
    return text if len(text) <= 60 else f"{text[:59]}…"
