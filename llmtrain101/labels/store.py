"""Labels given by hand, in one SQLite file in which every click is kept: who, when, what, how long.

What was clicked is an event, and no event is ever changed or removed: an undo is an event too. What
counts now is worked out from them.

The file is in SQLite's default mode (a rollback journal, each write on disk before it counts), not
in WAL: that way it is *one* file, which can be copied or mailed whole, and which also works in a
home folder on a network, where WAL must not be used. A click takes a few milliseconds.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any

import regex

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("class", "spans", "pairs")
PAIR_LABELS = ("first", "second", "same")
WAIT = 30.0  # seconds for somebody else's write to end

# A word keeps its accents and joiners, and a sign is what a reader sees as one, such as 👩‍👧:
# `regex` knows marks and such signs, which `re` cuts apart.
_WORD = r"[\p{L}\p{N}_][\p{L}\p{N}_\p{M}\u200c\u200d]*+"
_BLANK = r"\s\x1c-\x1f"
_TOKEN = regex.compile(rf"{_WORD}(?:['’]{_WORD})*+|(?![{_BLANK}])\X(?<![{_BLANK}])|[^{_BLANK}]")

_APPLICATION = 0x6C743130  # "lt10": marks the file as ours
_SCHEMA = """
CREATE TABLE task (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE guidelines (version INTEGER PRIMARY KEY, text TEXT NOT NULL, time TEXT NOT NULL);
CREATE TABLE items (item INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, content TEXT NOT NULL);
CREATE TABLE events (
    event INTEGER PRIMARY KEY AUTOINCREMENT,
    item INTEGER NOT NULL REFERENCES items,
    annotator TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('label', 'unsure', 'skip', 'undo')),
    value TEXT,
    seconds REAL,
    time TEXT NOT NULL,
    guidelines INTEGER REFERENCES guidelines,
    undoes INTEGER UNIQUE REFERENCES events
);
CREATE INDEX events_of ON events (item, annotator);
CREATE INDEX events_by ON events (annotator);
CREATE TRIGGER kept BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END;
CREATE TRIGGER kept_too BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'an event is never removed'); END;
CREATE VIEW standing AS
    SELECT * FROM events e
    WHERE action <> 'undo' AND NOT EXISTS (SELECT 1 FROM events u WHERE u.undoes = e.event);
CREATE VIEW answers AS
    SELECT * FROM standing s WHERE event =
        (SELECT max(event) FROM standing o WHERE o.item = s.item AND o.annotator = s.annotator);
"""


@dataclass(frozen=True)
class Item:
    """Something to label: its id, and its row (with "text", or "first" and "second")."""

    id: str
    row: dict[str, Any]

    @property
    def text(self) -> str:
        """The text; of a pair, both with a blank line between them."""
        if "text" in self.row:
            return str(self.row["text"])
        return f"{self.row['first']}\n\n{self.row['second']}"


class Store:
    """A file of texts to label, and of every click that was made on them.

    Any number of people, notebooks and processes may have it open at once.

    Parameters
    ----------
    path : str or Path
        Made if it is not there. A file that is there keeps its task; what is given here must
        agree with it, except for new guidelines, which are added as another version.
    labels : sequence of str, optional
        The classes; needed for a new file, except for pairs.
    kind : {"class", "spans", "pairs"}
        One class for a text, classes for stretches of it, or which of two texts is better.
    question : str
        What to ask at each text.
    guidelines : str
        How to decide, shown beside the texts. Each event keeps which version was in force.
    raters : int, optional
        How many people are to answer each text; by default everybody who comes.

    Raises
    ------
    ValueError
        If the file is no label store, or one for another task.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = Store(Path(folder.name) / "mine.sqlite", labels=["good", "bad"])
    >>> store.add(["I love it.", "It broke.", "Blue."])
    3
    >>> item = store.next("ada")
    >>> item.text
    'I love it.'
    >>> store.label(item, "ada", "bad", seconds=1.5)
    >>> store.undo("ada").text
    'I love it.'
    >>> store.label(item, "ada", "good")
    >>> [(row["text"], row["label"]) for row in store.rows()]
    [('I love it.', 'good')]
    >>> [event["action"] for event in store.events()]
    ['label', 'undo', 'label']
    >>> folder.cleanup()
    """

    def __init__(
        self,
        path: str | Path,
        *,
        labels: Sequence[str] | None = None,
        kind: str | None = None,
        question: str | None = None,
        guidelines: str | None = None,
        raters: int | None = None,
    ) -> None:
        self.path = Path(path)
        if kind is not None and kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}.")
        if isinstance(labels, str):
            raise ValueError(f"labels must be a list of names, got the text {labels!r}.")
        if labels is None and kind == "pairs":
            labels = PAIR_LABELS
        if (
            kind == "pairs"
            and labels is not None
            and tuple(labels)
            not in (
                PAIR_LABELS,
                PAIR_LABELS[:2],
            )
        ):
            raise ValueError(f"The labels of pairs are {PAIR_LABELS}, or without the last.")
        if raters is not None and raters < 1:
            raise ValueError(f"raters must be at least 1, got {raters}.")
        wanted: dict[str, Any] = {
            "kind": kind,
            "labels": None if labels is None else [str(label) for label in labels],
            "question": question,
            "raters": raters,
        }
        if not self.path.exists():  # before it is: an empty file would be left behind
            _check_new(wanted["labels"])
        self.path.parent.mkdir(parents=True, exist_ok=True)
        task = self._make_or_read(wanted)
        self.kind: str = task["kind"]
        self.labels: tuple[str, ...] = tuple(task["labels"])
        self.question: str = task["question"]
        self.raters: int | None = task["raters"]
        if guidelines is not None and guidelines != self.guidelines:
            with self._writing() as base:
                row = (_text(guidelines), _now())
                base.execute("INSERT INTO guidelines (text, time) VALUES (?, ?)", row)

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r}, kind={self.kind!r}, labels={list(self.labels)})"

    @property
    def _answered(self) -> frozenset[str]:
        """The names that `rows` gives to an answer."""
        spans = ("start", "end", "tokens", "tags") if self.kind == "spans" else ()
        return frozenset({"label", "unsure", "annotator", "seconds", "time", *spans})

    @property
    def guidelines(self) -> str:
        """The guidelines in force: the version that was added last."""
        with self._reading() as base:
            found = base.execute("SELECT text FROM guidelines ORDER BY version DESC LIMIT 1")
            row = found.fetchone()
        return json.loads(row[0]) if row else ""

    # --- texts ----------------------------------------------------------------------------------

    def add(self, rows: Iterable[str | Mapping[str, Any] | tuple[str, str]]) -> int:
        """Add texts to label, after those that are there; one that is there is not added again.

        Parameters
        ----------
        rows : iterable of str, dict or (for pairs) tuple of two str
            A dict has "text", or "first" and "second", and may have more, which the export gives
            back; the widget does not show it. If it has an "id", that names the text, else its
            content does.

        Returns
        -------
        int
            How many are new.

        Raises
        ------
        ValueError
            If a row lacks its text, holds what JSON cannot, or has a name that `rows` gives to what
            is answered (such as "label" or "time"), or if an id is there with another content.
        """
        new = 0
        with self._writing() as base:
            for number, given in enumerate(rows, start=1):
                row = self._row(given, number)
                try:
                    content = _text(row)
                except (TypeError, ValueError) as error:
                    raise ValueError(f"row {number}: {error}") from None
                id = str(row["id"]) if "id" in row else _name(content)
                try:
                    id.encode()
                except UnicodeEncodeError:
                    raise ValueError(f"row {number}: the id {id!r} is no valid text.") from None
                there = base.execute("SELECT content FROM items WHERE id = ?", (id,)).fetchone()
                if there is None:
                    if taken := sorted(row.keys() & self._answered):
                        raise ValueError(
                            f"row {number}: {', '.join(taken)} would be overwritten by what is "
                            "answered: give it another name, such as "
                            f"{'given_' + taken[0]!r}."
                        )
                    base.execute("INSERT INTO items (id, content) VALUES (?, ?)", (id, content))
                    new += 1
                elif json.loads(there[0]) != json.loads(content):
                    raise ValueError(
                        f"row {number}: the id {id!r} is there already with another content. "
                        "Labels belong to what people saw: give the new text an id of its own."
                    )
        return new

    def __len__(self) -> int:
        """How many texts there are."""
        with self._reading() as base:
            return int(base.execute("SELECT count(*) FROM items").fetchone()[0])

    def items(self) -> list[Item]:
        """All texts, in the order in which they were added."""
        with self._reading() as base:
            rows = base.execute("SELECT id, content FROM items ORDER BY item").fetchall()
        return [Item(id, json.loads(content)) for id, content in rows]

    def next(self, annotator: str) -> Item | None:
        """The text that this person should see now; None when nothing is left.

        In the order of the file; what was skipped comes again at the end. Where the task says how
        many `raters` a text needs, those that have enough are left out. (Two people who ask at
        the same moment may then get the same text: one answer more than needed, none lost.)
        """
        enough = "" if self.raters is None else "AND others < :raters"
        query = f"""
            SELECT id, content, (SELECT event FROM answers a
                    WHERE a.item = i.item AND a.annotator = :who AND a.action = 'skip') AS skipped,
                (SELECT count(*) FROM answers a WHERE a.item = i.item AND a.annotator <> :who
                    AND a.action <> 'skip') AS others
            FROM items i
            WHERE NOT EXISTS (SELECT 1 FROM answers a WHERE a.item = i.item
                AND a.annotator = :who AND a.action <> 'skip') {enough}
            ORDER BY skipped IS NOT NULL, skipped, item LIMIT 1"""
        with self._reading() as base:
            values = {"who": _person(annotator), "raters": self.raters}
            row = base.execute(query, values).fetchone()
        return Item(row[0], json.loads(row[1])) if row else None

    # --- clicks ---------------------------------------------------------------------------------

    def label(
        self, item: Item | str, annotator: str, value: Any, *, seconds: float | None = None
    ) -> None:
        """Keep an answer; it is on disk when this returns. A later one on the same text counts.

        Parameters
        ----------
        item : Item or str
            A text of this store, or its id.
        annotator : str
        value : str, or list of (start, end, label)
            One of `labels`; for spans, stretches of the text in characters, `text[start:end]`.
        seconds : float, optional
            How long it was looked at.

        Raises
        ------
        ValueError
            If there is no such text, or the value is no answer to this task.
        OSError
            If it cannot be written: nothing is kept then.
        """
        self._add(item, annotator, "label", self._checked(item, value), seconds)

    def unsure(
        self,
        item: Item | str,
        annotator: str,
        value: Any = None,
        *,
        seconds: float | None = None,
    ) -> None:
        """Keep that somebody looked and could not decide; `value` may be the best guess."""
        checked = None if value is None else self._checked(item, value)
        self._add(item, annotator, "unsure", checked, seconds)

    def skip(self, item: Item | str, annotator: str, *, seconds: float | None = None) -> None:
        """Keep that somebody passed it over: it comes again, after the others."""
        self._add(item, annotator, "skip", None, seconds)

    def undo(self, annotator: str) -> Item | None:
        """Take back this person's last click that stands; the text it was on, None if none is.

        What the text had before counts again. Both clicks stay on record.
        """
        with self._writing() as base:
            last = base.execute(
                "SELECT s.event, s.item, i.id, i.content FROM standing s JOIN items i USING (item) "
                "WHERE annotator = ? ORDER BY s.event DESC LIMIT 1",
                (_person(annotator),),
            ).fetchone()
            if last is None:
                return None
            event, number, id, content = last
            base.execute(
                "INSERT INTO events (item, annotator, action, time, undoes) "
                "VALUES (?, ?, 'undo', ?, ?)",
                (number, _person(annotator), _now(), event),
            )
        return Item(id, json.loads(content))

    # --- what is there --------------------------------------------------------------------------

    def progress(self, annotator: str) -> dict[str, int]:
        """How many texts have this person's "label", "unsure", "skip"; how many are "left".

        Left is what has neither a label nor an "unsure" of this person's, also where it has enough
        `raters`, so that `next` will never give it.
        """
        with self._reading() as base:
            found = base.execute(
                "SELECT action, count(*) FROM answers WHERE annotator = ? GROUP BY action",
                (_person(annotator),),
            ).fetchall()
        counts = {"label": 0, "unsure": 0, "skip": 0} | dict(found)
        return counts | {"left": len(self) - counts["label"] - counts["unsure"]}

    def events(self) -> list[dict[str, Any]]:
        """Every click, in the order in which they came.

        Each with event (its number), id (of the text), annotator, action ("label", "unsure",
        "skip", "undo"), value, seconds, time (UTC), guidelines (their version) and undoes (the
        event that an undo takes back).
        """
        with self._reading() as base:
            rows = base.execute(
                "SELECT event, id, annotator, action, value, seconds, time, guidelines, undoes "
                "FROM events JOIN items USING (item) ORDER BY event"
            )
            names = [column[0] for column in rows.description]
            found = [dict(zip(names, row, strict=True)) for row in rows]
        return [row | {"value": row["value"] and json.loads(row["value"])} for row in found]

    def rows(
        self,
        annotator: str | None = None,
        *,
        decide: Callable[[pd.DataFrame], pd.Series[Any]] | None = None,
    ) -> list[dict[str, Any]]:
        """What counts now, as plain rows that every format can keep.

        Parameters
        ----------
        annotator : str, optional
            Only what this person said.
        decide : function, optional
            Makes one label of several people's, such as `crowd.majority`: gets `table()`, returns
            a label for each text. Then there is one row for each text that somebody labelled.

        Returns
        -------
        list of dict
            What the text was added with, and label, unsure, annotator, seconds, time. For spans,
            `label` is the list of their labels, beside `start`, `end`, and the text's `tokens`
            with their `tags` (IOB2). What was skipped is not in it; a person who was unsure and
            named no label has the label None (and no spans).
        """
        if decide is not None:
            return self._decided(decide, annotator)
        who = None if annotator is None else _person(annotator)
        with self._reading() as base:
            found = base.execute(
                "SELECT i.id, content, annotator, value, action, seconds, time "
                "FROM answers JOIN items i USING (item) WHERE action <> 'skip' "
                "AND (:who IS NULL OR annotator = :who) ORDER BY item, annotator",
                {"who": who},
            ).fetchall()
        rows = []
        for id, content, who, value, action, seconds, time in found:
            row = {"id": id} | json.loads(content)
            answer = None if value is None else json.loads(value)
            row |= _spread(row["text"], answer) if self.kind == "spans" else {"label": answer}
            unsure = action == "unsure"
            rows.append(
                row | {"unsure": unsure, "annotator": who, "seconds": seconds, "time": time}
            )
        return rows

    def table(self) -> pd.DataFrame:
        """Texts by people, as `agreement` and `crowd` take it: None where there is no label.

        One row for each text, in order, named by its id; one column for each annotator. For spans
        there is one row for each token, named "id token", with its IOB2 tag.
        """
        import pandas as pd

        cells: dict[tuple[str, str], Any] = {}
        rows = self.rows()
        for row in rows:
            id = str(row["id"])  # as in `items`: a row may have been added with a number
            if self.kind == "spans":
                for place, tag in enumerate(row["tags"] if row["label"] is not None else ()):
                    cells[f"{id} {place}", row["annotator"]] = tag
            else:
                cells[id, row["annotator"]] = row["label"]
        if self.kind == "spans":
            ids = [f"{x.id} {n}" for x in self.items() for n in range(len(tokens(x.text)))]
        else:
            ids = [item.id for item in self.items()]
        people = sorted({row["annotator"] for row in rows})
        values = [[cells.get((id, who)) for who in people] for id in ids]
        return pd.DataFrame(values, index=pd.Index(ids, name="id"), columns=people, dtype=object)

    # --- inside ---------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for this one call: none is shared between threads or left open."""
        if not self.path.is_file():
            raise FileNotFoundError(
                f"There is no file {self.path} any more. Put it back, or make the store anew."
            )
        base = sqlite3.connect(self.path, timeout=WAIT, isolation_level=None)
        try:
            yield base
        except sqlite3.OperationalError as error:
            raise OSError(f"{self.path} could not be used: {error}.") from error
        finally:
            base.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing, and nobody else writes meanwhile."""
        with self._reading() as base:
            base.execute("BEGIN IMMEDIATE")
            try:
                yield base
                base.execute("COMMIT")
            except BaseException:
                if base.in_transaction:
                    base.execute("ROLLBACK")
                raise

    def _make_or_read(self, wanted: dict[str, Any]) -> dict[str, Any]:
        self.path.touch()
        try:
            with self._writing() as base:
                (mark,) = base.execute("PRAGMA application_id").fetchone()
                (tables,) = base.execute("SELECT count(*) FROM sqlite_master").fetchone()
                if mark != _APPLICATION and tables:
                    raise ValueError(f"{self.path} is a database of something else.")
                if mark != _APPLICATION:
                    self._make(base, wanted)
                found = dict(base.execute("SELECT name, value FROM task").fetchall())
        except sqlite3.DatabaseError as error:
            raise ValueError(f"{self.path} is no label store: {error}.") from error
        task = {name: json.loads(value) for name, value in found.items()}
        for name, value in wanted.items():
            if value is not None and value != task[name]:
                raise ValueError(
                    f"{self.path} was made with {name}={task[name]!r}, and now {name}={value!r} "
                    "is wanted. Labels given for one task are no answers to another: take "
                    "another file name, or leave this argument out."
                )
        return task

    def _make(self, base: sqlite3.Connection, wanted: dict[str, Any]) -> None:
        _check_new(wanted["labels"])
        for statement in _statements(_SCHEMA):
            base.execute(statement)
        task = wanted | {"kind": wanted["kind"] or "class", "question": wanted["question"] or ""}
        for name, value in task.items():
            base.execute("INSERT INTO task VALUES (?, ?)", (name, json.dumps(value)))
        base.execute(f"PRAGMA application_id = {_APPLICATION}")

    def _row(self, given: Any, number: int) -> dict[str, Any]:
        pair = self.kind == "pairs"
        if isinstance(given, str) and not pair:
            return {"text": given}
        if isinstance(given, tuple) and pair and len(given) == 2:
            given = {"first": given[0], "second": given[1]}
        needs = ("first", "second") if pair else ("text",)
        if not isinstance(given, Mapping) or not all(isinstance(given.get(n), str) for n in needs):
            shown = repr(given)
            raise ValueError(
                f"row {number} must have {' and '.join(map(repr, needs))} as text, got "
                f"{shown if len(shown) < 80 else shown[:77] + '…'}."
            )
        return dict(given)

    def _find(self, base: sqlite3.Connection, item: Item | str) -> tuple[int, dict[str, Any]]:
        id = item.id if isinstance(item, Item) else item
        row = base.execute("SELECT item, content FROM items WHERE id = ?", (id,)).fetchone()
        if row is None:
            raise ValueError(f"There is no text {id!r} in {self.path.name}.")
        return row[0], json.loads(row[1])

    def _checked(self, item: Item | str, value: Any) -> str:
        if self.kind != "spans":
            if not isinstance(value, str) or value not in self.labels:
                raise ValueError(f"The labels are {', '.join(self.labels)}; got {value!r}.")
            return json.dumps(value)
        with self._reading() as base:
            text = self._find(base, item)[1]["text"]
        try:
            spans = sorted((index(start), index(end), str(label)) for start, end, label in value)
        except (TypeError, ValueError):
            raise ValueError(
                "Spans are a list of (start, end, label), where start and end are whole numbers of "
                f"characters, such as [(0, 3, {self.labels[0]!r})]; got {value!r}."
            ) from None
        before = 0
        for start, end, label in spans:
            if label not in self.labels:
                raise ValueError(f"The labels are {', '.join(self.labels)}; got {label!r}.")
            if not before <= start < end <= len(text):
                raise ValueError(
                    f"The span {start} to {end} must lie in the {len(text)} characters of the "
                    "text, hold at least one, and overlap no other."
                )
            before = end
        return json.dumps(spans)

    def _add(
        self,
        item: Item | str,
        annotator: str,
        action: str,
        value: str | None,
        seconds: float | None,
    ) -> None:
        with self._writing() as base:
            number, _ = self._find(base, item)
            base.execute(
                "INSERT INTO events (item, annotator, action, value, seconds, time, guidelines) "
                "VALUES (?, ?, ?, ?, ?, ?, (SELECT max(version) FROM guidelines))",
                (
                    number,
                    _person(annotator),
                    action,
                    value,
                    None if seconds is None else round(float(seconds), 3),
                    _now(),
                ),
            )

    def _decided(
        self, decide: Callable[[pd.DataFrame], pd.Series[Any]], annotator: str | None
    ) -> list[dict[str, Any]]:
        import pandas as pd

        if self.kind == "spans" or annotator is not None:
            raise ValueError("decide= is for classes and pairs, and for all people at once.")
        table = self.table().dropna(how="all")
        if table.empty:  # nobody has labelled yet
            return []
        labels = decide(table)
        found = {id: None if pd.isna(label) else label for id, label in labels.items()}
        items = [item for item in self.items() if item.id in found]
        return [{"id": item.id} | item.row | {"label": found[item.id]} for item in items]


def tokens(text: str) -> list[tuple[int, int]]:
    """Where words and signs begin and end in a text: what can be marked as a span.

    Examples
    --------
    >>> [("It's 5 km.")[start:end] for start, end in tokens("It's 5 km.")]
    ["It's", '5', 'km', '.']
    """
    return [match.span() for match in _TOKEN.finditer(text)]


def iob2(text: str, spans: Iterable[tuple[int, int, str]]) -> tuple[list[str], list[str]]:
    """The tokens of a text, and a tag for each: B-X where a span begins, I-X within, O outside.

    A token counts as within a span if any part of it is; if it is within two, the first has it.

    Examples
    --------
    >>> iob2("Ada met Bob.", [(0, 3, "PER"), (8, 11, "PER")])
    (['Ada', 'met', 'Bob', '.'], ['B-PER', 'O', 'B-PER', 'O'])
    """
    places = tokens(text)
    tags = ["O"] * len(places)
    for start, end, label in sorted(spans):
        touched = [n for n, (left, right) in enumerate(places) if left < end and right > start]
        within = [place for place in touched if tags[place] == "O"]
        for place in within:
            tags[place] = f"{'B' if place == within[0] else 'I'}-{label}"
    return [text[start:end] for start, end in places], tags


def _spread(text: str, spans: list[tuple[int, int, str]] | None) -> dict[str, Any]:
    """Spans as lists side by side, which flat formats can keep too."""
    words, tags = iob2(text, spans or [])
    start, end, label = ([span[place] for span in spans or []] for place in range(3))
    return {
        "start": start,
        "end": end,
        "label": None if spans is None else label,
        "tokens": words,
        "tags": tags,
    }


def _text(value: Any) -> str:
    """As JSON, readable where it can be; zero bytes and lone surrogates are escaped."""

    def plain(thing: Any) -> Any:
        if hasattr(thing, "tolist"):  # a number of numpy, or an array
            return thing.tolist()
        raise ValueError(f"A value to keep must be text, a number or a list, got {thing!r}.")

    text = json.dumps(value, ensure_ascii=False, default=plain)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, default=plain)
    return text


def _check_new(labels: list[str] | None) -> None:
    if not labels or len(set(labels)) < len(labels) or not all(map(str.strip, labels)):
        raise ValueError(f"A new store needs labels, each another name; got {labels}.")


def _name(content: str) -> str:
    return blake2b(content.encode(), digest_size=8).hexdigest()


def _person(annotator: str) -> str:
    name = annotator.strip() if isinstance(annotator, str) else ""
    if not name:
        raise ValueError(f"annotator must be a name, got {annotator!r}.")
    return name


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _statements(script: str) -> Iterator[str]:
    """The statements of a script one by one: `executescript` would commit in between."""
    part = ""
    for line in script.strip().splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            yield part
            part = ""
