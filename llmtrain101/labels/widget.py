"""Label texts by keyboard, mouse or touch; each answer goes into a `Store` at once.

`Labeller` is the same thing twice: buttons where there are widgets, and functions (`label`, `skip`,
`unsure`, `undo`) that work everywhere. Its parts are made once and then only change what they show:
rebuilding a button that was pressed would lose the keyboard's place.
"""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any

from markdown_it import MarkdownIt

from llmtrain101.labels.store import Item, Store, tokens

Span = tuple[int, int, str]

# What cannot be seen, or turns round what is seen: controls (but tab and line feed), marks of
# direction, blanks without width, tags, and halves of characters that no text may hold.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_NAMES = {
    "\x00": "NUL", "\r": "CR", "\x1b": "ESC", "\x7f": "DEL", "\u2028": "LS", "\u2029": "PS",
    "\u200e": "LRM", "\u200f": "RLM", "\u061c": "ALM", "\u202a": "LRE", "\u202b": "RLE",
    "\u202c": "PDF", "\u202d": "LRO", "\u202e": "RLO", "\u2066": "LRI", "\u2067": "RLI",
    "\u2068": "FSI", "\u2069": "PDI", "\u200b": "ZWSP", "\ufeff": "BOM", "\xad": "SHY",
}  # fmt: skip
# Entities are left as they are written: &#x202e; would be a hidden mark again.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_MARKDOWN.disable(["link", "image", "autolink", "reference", "entity"])
_ACTIONS = {"s": "skip", "u": "unsure", "z": "undo"}
_MOST_BUTTONS = 200  # words of a text that get a button each
_STYLE = """<style>
.llmtrain101-labels { max-width: 60em }
.llmtrain101-labels .widget-html-content { line-height: 1.5; white-space: normal;
  font-size: var(--jp-content-font-size1, 14px); color: var(--jp-content-font-color1, #212121) }
.llmtrain101-labels .shown { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0.3em 0;
  padding: 0.6em 0.9em; border: 1px solid var(--jp-border-color1, #9e9e9e);
  font-size: var(--jp-content-font-size2, 17px);
  height: 8em; overflow-y: auto; resize: vertical; box-sizing: border-box }
.llmtrain101-labels .shown .hidden { border: 1px solid; border-radius: 3px; padding: 0 0.15em;
  font-size: 75%; unicode-bidi: isolate }
.llmtrain101-labels .guide { max-height: 24em; overflow-y: scroll;
  padding: 0 0.9em; border: 1px solid var(--jp-border-color1, #9e9e9e); border-left-width: 3px }
.llmtrain101-labels .guide::-webkit-scrollbar { width: 10px }
.llmtrain101-labels .guide::-webkit-scrollbar-thumb { border-radius: 5px;
  background: var(--jp-border-color1, #9e9e9e) }
.llmtrain101-labels .guide :is(h1, h2, h3, p, ol, ul, pre) { margin: 0.4em 0 }
.llmtrain101-labels .guide :is(h1, h2, h3) { font-size: 110% }
.llmtrain101-labels .guide :is(td, th) { text-align: left; padding: 0.2em 0.6em;
  vertical-align: top }
.llmtrain101-labels button { min-height: 44px; min-width: 44px; width: auto; height: auto;
  padding: 0.3em 1em; white-space: normal; line-height: 1.3 }
.llmtrain101-labels button:focus-visible, .llmtrain101-labels input:focus-visible,
.llmtrain101-labels summary:focus-visible, .llmtrain101-labels .guide:focus-visible {
  outline: 3px solid var(--jp-brand-color1, #1565c0); outline-offset: 2px }
</style>"""
# A letter that is typed while a button has the focus moves into the box of keys. JupyterLab would
# take it for a command of its own: "x" cuts the cell, "m" and "1" turn it into text.
_KEYS_STAY = """<script>
if (!window.llmtrain101Keys) {
  window.llmtrain101Keys = true;
  window.addEventListener("keydown", event => {
    const root = event.target.closest && event.target.closest(".llmtrain101-labels");
    const plain = event.key.length === 1 && event.key !== " ";
    if (!root || !plain || event.ctrlKey || event.altKey || event.metaKey) return;
    event.stopPropagation();
    root.querySelector("input").focus();
  }, true);
}
</script>"""


def visible(text: str) -> str:
    """A text in which what is hidden can be seen: a zero byte, or a mark that turns the direction.

    Examples
    --------
    >>> visible("a\\x00b\\u202ec")
    'a[NUL]b[RLO]c'
    """
    return _HIDDEN.sub(lambda match: _sign(match.group()), text)


def markup(text: str, spans: Iterable[Span] = ()) -> str:
    """A text as HTML that shows it letter by letter: nothing in it works as markup.

    Parameters
    ----------
    text : str
    spans : iterable of (start, end, label)
        Stretches to mark, with their labels behind them.

    Examples
    --------
    >>> markup("<b>Ada</b>", [(3, 6, "PER")])
    '&lt;b&gt;<mark>Ada<sub>PER</sub></mark>&lt;/b&gt;'
    """
    pieces, before = [], 0
    for start, end, label in sorted(spans):
        pieces.append(_escaped(text[before:start]))
        pieces.append(f"<mark>{_escaped(text[start:end])}<sub>{_escaped(label)}</sub></mark>")
        before = end
    return "".join([*pieces, _escaped(text[before:])])


def spans_of(text: str, said: str, labels: Iterable[str]) -> list[Span]:
    """Spans from word numbers: `"1-2 PER, 5 LOC"` marks words 1 and 2, and word 5.

    Raises
    ------
    ValueError
        If it cannot be read so, or names a word or a label that there is not.

    Examples
    --------
    >>> spans_of("Ada Lovelace met Bob.", "1-2 per, 4 PER", ["PER", "LOC"])
    [(0, 12, 'PER'), (17, 20, 'PER')]
    """
    places, names = tokens(text), list(labels)
    keys = _keys(names) | {name.casefold(): name for name in names}
    spans = []
    for part in filter(None, map(str.strip, said.split(","))):
        match = re.fullmatch(r"(\d+)(?:\s*-\s*(\d+))?\s+(.+)", part)
        if not match or match.group(3).casefold() not in keys:
            raise ValueError(
                f"Write the numbers of the first and last word and a label ({', '.join(names)}), "
                f"such as “1-2 {names[0]}”; got {part!r}."
            )
        first, last = int(match.group(1)), int(match.group(2) or match.group(1))
        if not 1 <= first <= last <= len(places):
            raise ValueError(f"There are words 1 to {len(places)}, got {part!r}.")
        label = keys[match.group(3).casefold()]
        spans.append((places[first - 1][0], places[last - 1][1], label))
    return spans


class Labeller:
    """Asks one person about the texts of a store, one after the other.

    As the last line of a notebook's cell it shows buttons. Each answer is on disk before the next
    text appears; closing the page or losing the kernel loses nothing. Run the cell again to go on.

    Parameters
    ----------
    store : Store
    annotator : str
        Whose answers these are. Several people, or pages, may work on one store at once.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = Store(Path(folder.name) / "mine.sqlite", labels=["good", "bad"])
    >>> store.add(["I love it.", "It broke."])
    2
    >>> me = Labeller(store, "ada")
    >>> print(me)
    Text 1 of 2, ada: 0 labelled
      I love it.
    >>> me.label("good")
    Text 2 of 2, ada: 1 labelled
      It broke.
    >>> me.undo()
    Text 1 of 2, ada: 0 labelled
      I love it.
    >>> folder.cleanup()
    """

    item: Item | None

    def __init__(self, store: Store, annotator: str) -> None:
        self.store, self.annotator = store, annotator
        self.spans: list[Span] = []
        self._view: _View | None = None
        self._show(store.next(annotator))

    def label(self, value: Any) -> None:
        """Answer for the text that is shown, and show the next.

        Parameters
        ----------
        value : str or list
            A label; for pairs "left", "right" or "same"; for spans a list of (start, end, label)
            in characters, or word numbers as in `"1-2 PER, 5 LOC"` (`""` if there are none).

        Raises
        ------
        ValueError
            If it is no answer to this task, or nothing is left.
        OSError
            If it could not be kept.
        """
        self._answer("label", self._meant(value))
        print(self)

    def skip(self) -> None:
        """Pass this text over; it comes again at the end."""
        self._answer("skip")
        print(self)

    def unsure(self, value: Any = None) -> None:
        """You looked and cannot decide; `value` may be your best guess."""
        self._answer("unsure", None if value is None else self._meant(value))
        print(self)

    def undo(self) -> None:
        """Take back your last answer, and show its text again."""
        if not self._undo():
            print("There is nothing to take back.")
        print(self)

    def __str__(self) -> str:
        if self.item is None:
            return f"Nothing is left, {visible(self.annotator)}: {self._counts()}"
        lines = [f"{self._place()}, {visible(self.annotator)}: {self._counts()}"]
        if self.store.kind == "pairs":
            left, right = self._pair()
            lines += [f"left: {visible(left)}", f"right: {visible(right)}"]
        elif self.store.kind == "spans":
            text = self.item.text
            words = (f"{n} {visible(text[a:b])}" for n, (a, b) in enumerate(tokens(text), 1))
            lines += [visible(text), " | ".join(words)]
        else:
            lines.append(visible(self.item.text))
        return "\n".join(lines).replace("\n", "\n  ")

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        # the buttons where there is a kernel, else the first text and what to do
        if self._view is None:
            self._view = _View(self)
        view = "application/vnd.jupyter.widget-view+json"
        how = "The buttons appear when you run this cell. Without them: .label(…), .undo()"
        plain = f"{self}\n{how}"
        return {
            "text/plain": plain,
            "text/html": f"<pre style='white-space: pre-wrap'>{html.escape(plain)}</pre>",
            view: self._view.box._repr_mimebundle_()[view],
        }

    # --- what the buttons and the functions share -------------------------------------------------

    def _show(self, item: Item | None) -> None:
        self.item, self.spans = item, []
        self._since = time.monotonic()
        if self._view is not None:
            self._view.refresh()

    def _answer(self, action: str, *value: Any) -> None:
        if self.item is None:
            raise ValueError("Nothing is left to label; undo() takes back the last answer.")
        keep = getattr(self.store, action)
        keep(self.item, self.annotator, *value, seconds=time.monotonic() - self._since)
        self._show(self.store.next(self.annotator))

    def _undo(self) -> bool:
        item = self.store.undo(self.annotator)
        if item is not None:
            self._show(item)
        return item is not None

    def _meant(self, value: Any) -> Any:
        """The answer as the store keeps it."""
        if self.item is None:
            return value
        if self.store.kind == "spans" and isinstance(value, str):
            return spans_of(self.item.text, value, self.store.labels)
        if self.store.kind == "pairs":
            sides = dict(zip(self._sides(), self._labels(), strict=True))
            if value not in sides:
                raise ValueError(f"Say {', '.join(sides)}; got {value!r}.")
            return sides[value]
        return value

    def _sides(self) -> tuple[str, ...]:
        return ("left", "right", "same")[: len(self.store.labels)]

    def _labels(self) -> tuple[str, ...]:
        """The labels in the order of the buttons; half of the pairs change sides.

        Many people prefer what stands left. Which pairs are turned depends on the pair and the
        person, so that it stays so when it comes again.
        """
        first, second, *same = self.store.labels
        return (second, first, *same) if self._turned() else (first, second, *same)

    def _turned(self) -> bool:
        known = f"{self.item.id if self.item else ''}/{self.annotator}"
        return bool(blake2b(known.encode(errors="replace"), digest_size=1).digest()[0] & 1)

    def _pair(self) -> tuple[str, str]:
        assert self.item is not None
        first, second = str(self.item.row["first"]), str(self.item.row["second"])
        return (second, first) if self._turned() else (first, second)

    def _place(self) -> str:
        done = self.store.progress(self.annotator)
        total = len(self.store)
        return f"Text {min(total, total - done['left'] + 1)} of {total}"

    def _end(self) -> str:
        """Why nothing is left."""
        if not len(self.store):
            return "There are no texts: add() some to the store, and run this cell again."
        if self.store.progress(self.annotator)["left"]:  # `next` gives none of these
            return "✓ The texts without an answer of yours have enough raters."
        return "✓ Every text has an answer of yours."

    def _counts(self) -> str:
        done = self.store.progress(self.annotator)
        more = [f"{done[x]} {name}" for x, name in (("unsure", "unsure"), ("skip", "skipped"))]
        return ", ".join([f"{done['label']} labelled", *(m for m in more if m[0] != "0")])


class _View:
    """The widgets of a Labeller, made once."""

    def __init__(self, labeller: Labeller) -> None:
        import ipywidgets

        self.labeller, store = labeller, labeller.store
        self.place, self.text, self.status = (ipywidgets.HTML() for _ in range(3))
        guide = ipywidgets.HTML(_STYLE + _guide(store.question, store.guidelines))
        shown = labeller._sides() if store.kind == "pairs" else store.labels
        self.keys = _keys(shown)
        self.names = list(shown)
        digits = {name: f"{key} · " for key, name in reversed(self.keys.items())}
        self.answers = [
            self._button(digits.get(name, "") + visible(name), self._chosen(name)) for name in shown
        ]
        others = [
            self._button(f"{key} · {name}", self._action(name)) for key, name in _ACTIONS.items()
        ]
        rows = [self._row(self.answers)]
        spans = store.kind == "spans"
        if spans:
            self.words: list[Any] = []
            self.start: int | None = None
            self.marked: tuple[int, int] | None = None
            self.word_row = self._row([])
            ends = [
                self._button("d · done with this text", self._done),
                self._button("b · take back a span", self._back),
            ]
            rows = [self.word_row, *rows, self._row(ends)]
        self.box_of_keys = ipywidgets.Text(
            placeholder=f"a line such as: 1-2 {shown[0]}" if spans else "type keys in here",
            description="Keys:",
            continuous_update=not spans,
            layout=ipywidgets.Layout(width="22em", max_width="100%"),
        )
        self.known = ""  # what of the box has been acted on
        self.box_of_keys.observe(self._line if spans else self._typed, "value")
        parts = [guide, self.place, self.text, *rows, self._row(others), self.box_of_keys]
        listener = {
            "output_type": "display_data",
            "data": {"text/html": _KEYS_STAY},
            "metadata": {},
        }
        hidden = ipywidgets.Output(outputs=(listener,), layout=ipywidgets.Layout(height="0"))
        help_ = ipywidgets.HTML(self._help())
        self.box = ipywidgets.VBox([*parts, help_, self.status, hidden])
        self.box.add_class("llmtrain101-labels")
        self.refresh()

    def refresh(self) -> None:
        """Show the text that the labeller is at; no widget is made anew."""
        me = self.labeller
        if me.item is None:
            place, text = "Nothing is left", me._end()
        elif me.store.kind == "pairs":
            pair = zip(("left", "right"), me._pair(), strict=True)
            text = "\n\n".join(f"<b>{side}</b>\n{markup(text)}" for side, text in pair)
            place = me._place()
        else:
            place, text = me._place(), markup(me.item.text, me.spans)
        self.place.value = f"<b>{place}</b>, {_escaped(me.annotator)}: {me._counts()}"
        # polite: a screen reader reads the new text when it has finished the sentence
        self.text.value = f'<div class="shown" dir="auto" aria-live="polite">{text}</div>'
        if me.store.kind == "spans":
            self.start = self.marked = None
            self._show_words()

    # --- what is pressed ------------------------------------------------------------------------

    def _button(self, description: str, pressed: Callable[[], None]) -> Any:
        import ipywidgets

        button = ipywidgets.Button(description=description)

        def on_click(_: object) -> None:
            self._clear()
            self._try(pressed)

        button.on_click(on_click)
        return button

    def _row(self, buttons: list[Any]) -> Any:
        import ipywidgets

        return ipywidgets.HBox(buttons, layout=ipywidgets.Layout(flex_flow="row wrap"))

    def _try(self, pressed: Callable[[], None]) -> None:
        try:
            pressed()
        except (OSError, ValueError) as error:  # else it would end in a log that nobody reads
            self._tell(f"✗ {error}")

    def _tell(self, message: str) -> None:
        self.status.value = f'<div role="status">{_escaped(message)}</div>'

    def _chosen(self, name: str) -> Callable[[], None]:
        def choose() -> None:
            if self.labeller.store.kind == "spans":
                self._mark(name)
                return
            self.labeller._answer("label", self.labeller._meant(name))
            self._tell(f"✓ kept: {visible(name)}")

        return choose

    def _action(self, name: str) -> Callable[[], None]:
        def act() -> None:
            if name == "undo":
                undone = self.labeller._undo()
                self._tell("↶ taken back" if undone else "There is nothing to take back.")
                return
            self.labeller._answer(name)
            self._tell("✓ kept: unsure" if name == "unsure" else "↷ skipped: it comes again")

        return act

    def _clear(self) -> None:
        """Empty the box of keys; only when a button is pressed, that is, while nobody types."""
        self.known = ""
        self.box_of_keys.value = ""

    def _typed(self, change: Any) -> None:
        """Act on the keys that were added to the box.

        The box is not emptied after each: what the browser and we write there at the same moment
        would undo each other, and a quick key be lost.
        """
        new, before, self.known = str(change["new"]), self.known, str(change["new"])
        if not new.startswith(before):
            if new:
                self._tell("To take back an answer press z.")
            return
        for key in new[len(before) :].casefold():
            if key in self.keys:
                self._try(self._chosen(self.keys[key]))
            elif key in _ACTIONS:
                self._try(self._action(_ACTIONS[key]))
            elif not key.isspace():
                self._tell(f"The key {visible(key)} does nothing here.")

    def _help(self) -> str:
        if self.labeller.store.kind == "spans":
            return (
                "<p>Press the first and the last word of a span, then its label. Or write their "
                f"numbers and the label into the box: <code>1-2 {_escaped(self.names[0])}</code>, "
                "Enter. There <code>d</code>, <code>b</code>, <code>s</code>, <code>u</code> and "
                "<code>z</code> with Enter work too.</p>"
            )
        by_name: dict[str, list[str]] = {}
        for key, name in [*self.keys.items(), *_ACTIONS.items()]:
            by_name.setdefault(name, []).append(f"<code>{_escaped(key)}</code>")
        listed = ", ".join(f"{' or '.join(keys)} {_escaped(n)}" for n, keys in by_name.items())
        return (
            f"<p>Keys, once the cursor is in the box or on a button: {listed}. Or go from button "
            "to button with Tab, and press with Space.</p>"
        )

    # --- spans ------------------------------------------------------------------------------------

    def _show_words(self) -> None:
        me = self.labeller
        text = me.item.text if me.item else ""
        places = tokens(text)[:_MOST_BUTTONS]
        if len(places) > len(self.words):  # buttons are added, and never taken away or replaced
            new = range(len(self.words), len(places))
            self.words += [self._button("", self._word(place)) for place in new]
            self.word_row.children = tuple(self.words)
        for place, button in enumerate(self.words):
            button.layout.display = None if place < len(places) else "none"
            if place >= len(places):
                continue
            left, right = places[place]
            word = f"{place + 1} {visible(text[left:right])}"
            inside = [label for start, end, label in me.spans if start < right and left < end]
            chosen = self.marked is not None and self.marked[0] <= place <= self.marked[1]
            signs = "".join([*(f" ={label}" for label in inside), " ◂" if chosen else ""])
            button.description = word + signs  # a sign too, for who does not see the colour
            button.button_style = "warning" if chosen else "info" if inside else ""

    def _word(self, place: int) -> Callable[[], None]:
        def press() -> None:
            if self.start is None:
                self.start, self.marked = place, (place, place)
                self._tell("Now the last word (the same again if it is one), or the label.")
            else:
                self.marked = (min(self.start, place), max(self.start, place))
                self.start = None
                self._tell("Now the label.")
            self._show_words()

        return press

    def _mark(self, name: str) -> None:
        me = self.labeller
        if me.item is None or self.marked is None:
            raise ValueError("Press a word first, and where the span ends, then its label.")
        places = tokens(me.item.text)
        self._add([(places[self.marked[0]][0], places[self.marked[1]][1], name)])

    def _add(self, spans: list[Span]) -> None:
        me = self.labeller
        there = list(me.spans)  # all of a line is kept or nothing
        for span in spans:
            if any(span[0] < right and left < span[1] for left, right, _ in there):
                raise ValueError("That overlaps a span which is there; take that one back first.")
            there.append(span)
        me.spans = there
        self.refresh()
        self._tell(f"{len(me.spans)} marked; press “done” when the text has all of them.")

    def _done(self) -> None:
        number = len(self.labeller.spans)
        self.labeller._answer("label", list(self.labeller.spans))
        self._tell(f"✓ kept: {number} spans")

    def _back(self) -> None:
        if not self.labeller.spans:
            raise ValueError("No span is marked in this text.")
        self.labeller.spans.pop()
        self.refresh()
        self._tell("↶ the last span is taken back")

    def _line(self, change: Any) -> None:
        """Act on a line that was finished with Enter."""
        line = str(change["new"]).strip()
        if not line:
            return
        actions = {"d": self._done, "b": self._back}
        actions |= {key: self._action(name) for key, name in _ACTIONS.items()}

        def mark() -> None:
            me = self.labeller
            self._add(spans_of(me.item.text if me.item else "", line, me.store.labels))

        self._try(actions.get(line.casefold(), mark))
        self.box_of_keys.value = ""


def _keys(names: Iterable[str]) -> dict[str, str]:
    """The keys for some labels: digits in order, and first letters where no other has them.

    Examples
    --------
    >>> _keys(["good", "bad", "so-so"])
    {'1': 'good', '2': 'bad', '3': 'so-so', 'g': 'good', 'b': 'bad'}
    """
    names = list(names)
    digits = dict(zip("1234567890", names, strict=False))
    letters: dict[str, str] = {}
    firsts = [name.strip()[:1].casefold() for name in names]
    for first, name in zip(firsts, names, strict=True):
        if firsts.count(first) == 1 and first.isalpha() and first not in _ACTIONS:
            letters[first] = name
    return digits | letters


def _sign(char: str) -> str:
    """What is shown for a character that cannot be seen."""
    return f"[{_NAMES.get(char, f'U+{ord(char):04X}')}]"


def _escaped(text: str) -> str:
    """A text for HTML, hidden characters in boxes."""
    pieces, before = [], 0
    for match in _HIDDEN.finditer(text):
        pieces.append(html.escape(text[before : match.start()]))
        pieces.append(f'<span class="hidden">{_sign(match.group())}</span>')
        before = match.end()
    return "".join([*pieces, html.escape(text[before:])])


def _guide(question: str, guidelines: str) -> str:
    asked = f"<p><b>{_escaped(question)}</b></p>" if question else ""
    if not guidelines.strip():
        return asked
    return (
        f"{asked}<details open><summary>Guidelines (the box scrolls)</summary>"
        f'<div class="guide" tabindex="0">{_page(guidelines)}</div></details>'
    )


def _page(text: str) -> str:
    """A page of Markdown as HTML in which nothing leads elsewhere, loads anything or is hidden.

    Examples
    --------
    >>> print(_page("## Page A\\n\\nAsk **twice**,\\nthen label: <b>"), end="")
    <h2>Page A</h2>
    <p>Ask <strong>twice</strong>,
    then label: &lt;b&gt;</p>
    """
    return str(_MARKDOWN.render(visible(text)))
