"""Functions that mend one text: characters, blanks, encoding, markup, personal data."""

from __future__ import annotations

import html
import re
import unicodedata

# What no text needs: control characters but for tab and line end, byte order mark, zero-width
# space, soft hyphen, what is no character. Joiners and marks of writing direction stay: Persian,
# Hindi, Arabic, Hebrew and many emoji are wrong without them.
_NOTHING = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b\ufeff\ufdd0-\ufdef\ufffe\uffff]"
)
_LINE_END = re.compile("\r\n?|[\u0085\u2028\u2029]")
_BLANKS = re.compile(r"[^\S\n]+")
_EMPTY_LINES = re.compile(r"\n{3,}")


def _tag(elements: str) -> re.Pattern[str]:
    # bounded, so that a text of a million `<a` takes no more than a million short looks
    return re.compile(rf"</?(?:{elements})(?:\s[^<>]{{0,2000}})?/?>", re.IGNORECASE)


# What stands in a line of its own, what stands beside its like in a row, what is within a line.
_BLOCK = _tag(
    "article|aside|blockquote|body|center|dd|details|div|dl|dt|figcaption|figure|footer|form"
    "|h[1-6]|head|header|hr|html|li|main|nav|ol|option|p|pre|section|summary|table|tbody|tfoot"
    "|thead|title|tr|ul"
)
_CELL = re.compile(r"(?:</t[dh]>\s*)?<t[dh](?:\s[^<>]{0,2000})?>", re.IGNORECASE)
_INLINE = _tag(
    "a|abbr|audio|b|button|canvas|code|del|em|embed|font|i|iframe|img|input|ins|label|link|mark"
    "|meta|object|q|s|script|select|small|span|strike|strong|style|sub|sup|svg|td|textarea|th"
    "|tt|u|video"
)
_BREAK = _tag("br")
# What starts and ends that which is cut out with all that stands between.
_HIDDEN = {
    re.compile(r"<!--"): re.compile(r"-->"),
    re.compile(r"<script\b[^<>]{0,2000}>", re.IGNORECASE): re.compile(
        r"</script\s*>", re.IGNORECASE
    ),
    re.compile(r"<style\b[^<>]{0,2000}>", re.IGNORECASE): re.compile(r"</style\s*>", re.IGNORECASE),
}

_MAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?!\w)")
_PHONE = re.compile(
    r"(?<![\w.,:/+@#=-])(?:"
    r"(?:\+|00)[1-9]\d{0,2}(?:[ ./-]?\(?\d{1,4}\)?){2,6}"  # +44 20 7946 0958
    r"|\(\d{3}\) ?\d{3}[-. ]\d{4}|\d{3}[-.]\d{3}[-.]\d{4}"  # (212) 555-0147, 212-555-0147
    r"|(?![0-3]\d([-/. ])[0-3]\d\1(?:19|20)\d\d(?!\d))"  # nor is 01/02/2024 one, but
    r"\(?0\d{1,5}\)?(?:[ /-]?\d{1,8}){1,4}"  # 020 7946 0958, 08452810075
    r")(?![\d:]|[ej][\d+-]|j\b)"  # nor the start of a time, or of a number such as 1e-08 or 2j
)


def normalise(text: str) -> str:
    """One way of writing each character, one kind of line end, nothing that cannot be seen.

    `é` can be one character or two that look the same: Unicode's form C is the one character. What
    only looks alike stays apart (form KC would make `10²` into `102`). Zero bytes go; marks of
    writing direction stay, since a right-to-left text needs them.

    Examples
    --------
    >>> normalise("Cafe\\u0301\\x00\\r\\nand \\ufeffzero\\u200b width")
    'Café\\nand zero width'
    """
    if text.isascii() and text.isprintable():  # which a line end is not
        return text
    return unicodedata.normalize("NFC", _NOTHING.sub("", _LINE_END.sub("\n", text)))


def whitespace(text: str) -> str:
    r"""One blank for each run of blanks, no blanks at the ends of lines, at most one empty line.

    Examples
    --------
    >>> whitespace("  two\u00a0 words \n\n\n  below ")
    'two words\n\nbelow'
    """
    lines = [line.strip() for line in _BLANKS.sub(" ", text).split("\n")]
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip("\n")


def repair_encoding(text: str) -> str:
    """Undo a text's being read with the wrong encoding (mojibake), as far as that shows.

    The work is ftfy's, which changes a text only where the mended one is clearly likelier. It does
    err: some real texts look like broken ones. The report of a `Pipeline` shows what it changed.

    Examples
    --------
    >>> repair_encoding("the cafÃ© isnâ€™t open")
    'the café isn’t open'
    >>> repair_encoding("Ångström")
    'Ångström'
    """
    if text.isascii():  # nothing was ever misread in these, and ftfy takes long to see it
        return text
    import ftfy

    return str(ftfy.fix_encoding(text))


def strip_markup(text: str) -> str:
    """Remove HTML's tags, comments and scripts, and turn `&amp;` into `&`.

    Paragraphs, list items, rows of a table and the like get a line each, cells a blank between.
    Only HTML's own elements count, so that `a < b`, `List<int>` and `<class 'str'>` stay. What is
    left is plain text, not safe HTML: escape it where you show it.

    Examples
    --------
    >>> strip_markup("<p class='x'>Fish &amp; chips,<br/>if a < b</p><script>alert(1)</script>")
    'Fish & chips,\\nif a < b'
    >>> strip_markup("&lt;script&gt; is how a script starts")
    '<script> is how a script starts'
    >>> strip_markup("<p>One</p><p>T<b>w</b>o</p><tr><td>a</td><td>b</td></tr><li>x</li>")
    'One\\nTwo\\na b\\nx'
    """
    if "<" in text:
        for start, end in _HIDDEN.items():
            text = _cut(text, start, end)
        text = _INLINE.sub("", _CELL.sub(" ", _BREAK.sub("\n", text)))
        if len(blocks := _BLOCK.split(text)) > 1:
            text = "\n".join(block.strip() for block in blocks if block.strip())
    return html.unescape(text) if "&" in text else text


def _cut(text: str, start: re.Pattern[str], end: re.Pattern[str]) -> str:
    """Without what stands between; a pattern over both ends would take time squared."""
    kept, here = [], 0
    while (begin := start.search(text, here)) and (finish := end.search(text, begin.end())):
        kept.append(text[here : begin.start()])
        here = finish.end()
    return "".join([*kept, text[here:]])


def mask_personal(text: str) -> str:
    """Put `[e-mail]` and `[phone]` where a text has an address or a number to call.

    Phone numbers with a country code (`+44 …`, `0033 …`), with a leading 0, or written as in North
    America are found; other digits, dates and prices are left. It finds most, not all: names,
    addresses and whatever is written in words need people, or a model made for it.

    Examples
    --------
    >>> mask_personal("Write to jo.bloggs@example.org or call +44 20 7946 0958 by 2024-05-01.")
    'Write to [e-mail] or call [phone] by 2024-05-01.'
    """
    if "@" in text:
        text = _MAIL.sub("[e-mail]", text)
    return _PHONE.sub(_mask_phone, text)


def _mask_phone(match: re.Match[str]) -> str:
    digits = sum(character.isdigit() for character in match.group())
    return "[phone]" if 10 <= digits <= 15 else match.group()
