"""Functions that bring one value to a standard form, or say why they cannot (ValueError)."""

from __future__ import annotations

import datetime
import difflib
import numbers
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

MISSING = ("", "?", "-", "n/a", "na", "nan", "none", "null", "#n/a", "unknown")
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = re.compile(
    r"(january|february|march|april|may|june|july|august|september|october|november|december"
    r"|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.?",
    re.IGNORECASE,
)
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|[nr]d|th)? (?:of )?([a-z]+\.?),? (\d{4})", re.IGNORECASE)
_MONTH_DAY = re.compile(r"([a-z]+\.?) (\d{1,2})(?:st|[nr]d|th)?,? (\d{4})", re.IGNORECASE)


def _number(thousands: str, decimal: str) -> re.Pattern[str]:
    """How a number is written, with one separator of thousands throughout."""
    return re.compile(
        rf"(?P<sign>[+-]?)(?:\s*(?P<before>[$€£¥]))?\s*"
        rf"(?P<whole>[0-9]{{1,3}}(?P<between>[\s'’{thousands}])[0-9]{{3}}(?:(?P=between)[0-9]{{3}})*"
        rf"|[0-9]+)?(?:{re.escape(decimal)}(?P<fraction>[0-9]*))?(?P<power>[eE][+-]?[0-9]{{1,3}})?"
        rf"(?:\s*(?P<unit>[%$€£¥]))?"
    )


_NUMBERS = {".": _number(",", "."), ",": _number(".", ",")}


def missing(value: Any, like: Iterable[str] = MISSING) -> Any:
    """None for what stands for a value that is not there: `?`, `n/a`, nothing, not-a-number.

    Examples
    --------
    >>> missing(" ? "), missing("N/A"), missing(float("nan")), missing("Nancy"), missing(0)
    (None, None, None, 'Nancy', 0)
    """
    if isinstance(value, str):
        return None if value.strip().casefold() in like else value
    if type(value).__name__ == "NAType":  # pandas.NA, which compared with itself is NA again
        return None
    return None if value != value else value  # only not-a-number differs from itself


def number(value: str | int | float, *, decimal: str = ".") -> int | float:
    """A number from how people write one: with separators of thousands, `%`, or a currency.

    Thousands are groups of three digits, between them a comma (a dot, if that is not `decimal`), a
    blank or `'`. What is written otherwise, such as `3 4` or `5'11`, is no one number.

    Parameters
    ----------
    value : str, int or float
    decimal : {".", ","}
        Which of the two stands before the fraction. It is not guessed: `1,234` is one and a bit in
        Paris and more than a thousand in London.

    Raises
    ------
    ValueError
        If it is no number, or none of finite size.

    Examples
    --------
    >>> number(" 1,234.50 "), number("12 %"), number("€ 1.234,5", decimal=","), number("-7 000")
    (1234.5, 0.12, 1234.5, -7000)
    """
    if decimal not in (".", ","):
        raise ValueError(f"decimal must be '.' or ',', got {decimal!r}.")
    if isinstance(value, bool) or not isinstance(value, str | numbers.Real):
        raise ValueError(f"{value!r} is no number")
    if not isinstance(value, str):
        if value - value != 0:
            raise ValueError(f"{value!r} is no finite number")
        return int(value) if isinstance(value, numbers.Integral) else float(value)
    text = re.sub(r"^([$€£¥])\s*([+-])", r"\2\1", value.strip().replace("−", "-"))
    match = _NUMBERS[decimal].fullmatch(text)
    if not match or not (match["whole"] or match["fraction"]):
        raise ValueError(f"{value!r} is no number with {decimal!r} before the fraction")
    names = ("before", "sign", "whole", "fraction", "power", "unit")
    before, sign, digits, fraction, power, unit = (match[name] or "" for name in names)
    if before and unit:
        raise ValueError(f"{value!r} is no number: {before} before it and {unit} behind it")
    percent = unit == "%"
    digits = re.sub(r"\D", "", digits) or "0"
    if len(digits) > 300:
        raise ValueError(f"{value[:20]!r}… has more digits than a number of this size needs")
    if not (fraction or power or percent):
        return int(sign + digits)
    found = float(f"{sign}{digits}.{fraction or 0}{power}")
    if found - found != 0:
        raise ValueError(f"{value!r} is no finite number")
    return found / 100 if percent else found


def date(value: Any, *, day_first: bool | None = None) -> str:
    """A date as year-month-day, so that order by text is order by time.

    Parameters
    ----------
    value : str, datetime.date or datetime.datetime
        `2024-03-05`, `5.3.2024`, `5 March 2024`, `March 5, 2024`, `5/3/2024`.
    day_first : bool, optional
        Whether in `3/5/2024` the 3 is the day. Without it such a date is an error, unless one of
        the two is above 12: guessing would be wrong half of the time and never show.

    Raises
    ------
    ValueError
        If it is no date, is ambiguous, or has a year of two digits.

    Examples
    --------
    >>> date("5 March 2024"), date("5.3.2024"), date("3/25/2024")
    ('2024-03-05', '2024-03-05', '2024-03-25')
    >>> date("3/5/2024", day_first=False)
    '2024-03-05'
    """
    if isinstance(value, datetime.date) and missing(value) is not None:  # pandas.NaT is a datetime
        return value.isoformat()[:10]  # of a datetime the day only
    text = " ".join(str(value).split())
    if match := re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]\d\d:\d\d.{0,20})?", text):
        year, month, day = map(int, match.groups())
    elif match := re.fullmatch(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})", text):
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        if match[2] == "." or first > 12:  # with dots the day comes first everywhere
            day_first = True
        elif second > 12:
            day_first = False
        elif day_first is None and first != second:
            raise ValueError(f"{value!r} can be two dates; say day_first=True or False")
        day, month = (first, second) if day_first else (second, first)
    elif match := _DAY_MONTH.fullmatch(text):
        day, month, year = int(match[1]), _month(match[2]), int(match[3])
    elif match := _MONTH_DAY.fullmatch(text):
        day, month, year = int(match[2]), _month(match[1]), int(match[3])
    else:
        raise ValueError(f"{value!r} is no date that is known here")
    try:
        return datetime.date(year, month, day).isoformat()
    except ValueError as error:
        raise ValueError(f"{value!r} is no date: {error}") from None


def _month(name: str) -> int:
    if not _MONTH.fullmatch(name):
        raise ValueError(f"{name!r} is no month")
    return _MONTHS.index(name[:3].lower()) + 1


def category(names: Iterable[str] | Mapping[str, Iterable[str]]) -> Callable[[Any], str]:
    """A function that brings each way of writing a category to its one name.

    Case, blanks around it and runs of blanks do not count. What is not known is an error that names
    the nearest: a label that nobody has seen is to be looked at, not guessed.

    Parameters
    ----------
    names : iterable of str, or mapping of str to iterables of str
        The standard names, or each with its other spellings.

    Raises
    ------
    TypeError
        If names, or the spellings of one, are given as one str.
    ValueError
        If one spelling belongs to two names; by the function, if a value is not known.

    Examples
    --------
    >>> income = category({"<=50K": ["<=50K."], ">50K": [">50K.", "more"]})
    >>> income(" >50k. "), income("More"), income("<=50K")
    ('>50K', '>50K', '<=50K')
    """
    known: dict[str, str] = {}
    for given in (names, *(names.values() if isinstance(names, Mapping) else ())):
        if isinstance(given, str):
            raise TypeError(f"category takes lists of spellings; for one, write [{given!r}].")
    spellings = names if isinstance(names, Mapping) else {name: () for name in names}
    for name, others in spellings.items():
        for spelling in (name, *others):
            if known.setdefault(_folded(spelling), name) != name:
                raise ValueError(
                    f"{spelling!r} cannot be both {known[_folded(spelling)]!r} and {name!r}."
                )

    def category(value: Any) -> str:
        if (found := known.get(_folded(value))) is not None:
            return found
        near = difflib.get_close_matches(_folded(value)[:100], known, n=1)
        hint = f"; the nearest is {known[near[0]]!r}" if near else ""
        raise ValueError(f"{value!r} is none of the {len(spellings)} categories{hint}")

    return category


def _folded(value: Any) -> str:
    return " ".join(str(value).split()).casefold()
