"""The labelling widget: buttons and keys do the same, nothing in a text works as markup."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmtrain101 import sources
from llmtrain101.labels.store import Store
from llmtrain101.labels.widget import Labeller, markup, spans_of, visible
from tests.test_labels_store import STRANGE


def made(tmp_path: Path, texts: Any, **task: Any) -> Store:
    store = Store(tmp_path / "labels.sqlite", **task)
    store.add(texts)
    return store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return made(tmp_path, [f"text {n}" for n in range(5)], labels=["good", "bad"])


def view(labeller: Labeller) -> Any:
    if labeller._view is None:
        labeller._repr_mimebundle_()
    return labeller._view


def press(labeller: Labeller, name: str) -> None:
    """Click the button whose description ends so."""
    shown = view(labeller)
    buttons = [w for row in shown.box.children for w in getattr(row, "children", [])]
    (button,) = [b for b in buttons if b.description.split(" · ")[-1] == name]
    button.click()


def said(labeller: Labeller) -> list[tuple[str, Any]]:
    return [(event["action"], event["value"]) for event in labeller.store.events()]


class Text(HTMLParser):
    """What a browser shows of some HTML, and with which tags."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.text, self.tags = "", set[str]()
        self.feed(markup)
        self.close()

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.tags.add(tag)


# --- what is shown --------------------------------------------------------------------------------


@given(st.text(st.characters(codec=None)))
@example(STRANGE[0])
def test_a_text_is_shown_letter_by_letter(text: str) -> None:
    shown = Text(markup(text))
    assert shown.tags <= {"span"}
    assert shown.text.replace("\r", "") == visible(text)


@pytest.mark.parametrize("text", STRANGE[:-1], ids=range(len(STRANGE) - 1))
def test_nothing_hidden_and_nothing_active_reaches_the_page(tmp_path: Path, text: str) -> None:
    task = {"labels": [f"{text}a" or "a", "b"], "question": text, "guidelines": text}
    labeller = Labeller(
        made(tmp_path, [text], **task), f"{text}x".encode("utf-8", "replace").decode()
    )
    shown = view(labeller)
    for widget in shown.box.children:
        value = str(getattr(widget, "value", "")).partition("</style>")[2] or str(
            getattr(widget, "value", "")
        )
        parsed = Text(value)
        assert not parsed.tags & {"script", "img"}
        assert not set(value) & set("\x00\u202e\u202c\u200f\ud83d")
    bundle = labeller._repr_mimebundle_()
    assert "<script" not in bundle["text/html"] and "<img" not in bundle["text/html"]
    assert not set(bundle["text/plain"]) & set("\x00\u202e\ud83d")


def test_marks_stand_around_spans_and_escape_their_labels() -> None:
    assert markup("a<b", [(1, 2, "<i>")]) == "a<mark>&lt;<sub>&lt;i&gt;</sub></mark>b"


# --- a class --------------------------------------------------------------------------------------


def test_buttons_keys_and_functions_do_the_same(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    me = Labeller(store, "ada")
    press(me, "good")
    view(me).box_of_keys.value = "2"
    view(me).box_of_keys.value = "2b"
    me.label("good")
    press(me, "undo")
    view(me).box_of_keys.value += "u"
    press(me, "skip")
    assert said(me) == [
        ("label", "good"),
        ("label", "bad"),
        ("label", "bad"),
        ("label", "good"),
        ("undo", None),
        ("unsure", None),
        ("skip", None),
    ]
    assert "Text 5 of 5, ada: 4 labelled" in capsys.readouterr().out
    assert me.item is not None and me.item.text == "text 4"  # the only one left, skipped or not


def test_quick_keys_that_arrive_together_are_all_acted_on_once(store: Store) -> None:
    me = Labeller(store, "ada")
    box = view(me).box_of_keys
    box.value = "1"
    box.value = "121"  # two at once
    box.value = "121 z"
    assert [event for event, _ in said(me)] == ["label"] * 3 + ["undo"]
    box.value = "121"  # taken away with the backspace key: nothing is done
    assert len(said(me)) == 4 and "press z" in view(me).status.value
    box.value = "121x"
    assert len(said(me)) == 4 and "x does nothing" in view(me).status.value
    box.value = "121x2"
    assert said(me)[-1] == ("label", "bad")


def test_no_widget_is_made_anew_when_an_answer_is_given(store: Store) -> None:
    me = Labeller(store, "ada")
    before = view(me).box.children, [row.children for row in view(me).box.children[3:5]]
    for name in ("good", "skip", "undo", "unsure"):
        press(me, name)
    view(me).box_of_keys.value = "1"
    assert before == (view(me).box.children, [r.children for r in view(me).box.children[3:5]])
    assert all(not button.disabled for button in view(me).answers)


def test_at_the_end_it_says_so_and_a_further_click_is_no_answer(store: Store) -> None:
    me = Labeller(store, "ada")
    for _ in range(6):
        press(me, "bad")
    assert len(said(me)) == 5
    assert "Nothing is left" in view(me).status.value and "answer of yours" in view(me).text.value
    press(me, "undo")
    assert me.item is not None and "text 4" in view(me).text.value


def test_the_end_says_why_nothing_is_left(tmp_path: Path) -> None:
    store = Store(tmp_path / "labels.sqlite", labels=["good", "bad"], raters=1)
    assert "There are no texts" in view(Labeller(store, "ada")).text.value
    store.add(["one", "two"])
    ada = Labeller(store, "ada")
    press(ada, "good")
    store.label(store.items()[1], "bob", "bad")
    assert "have enough raters" in view(Labeller(store, "ada")).text.value
    assert store.progress("ada")["left"] == 1 and store.next("ada") is None


def test_seconds_are_those_since_the_text_came_up(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("llmtrain101.labels.widget.time.monotonic", lambda: now[0])
    me = Labeller(store, "ada")
    for pause in (2.0, 3.5):
        now[0] += pause
        press(me, "good")
    assert [event["seconds"] for event in store.events()] == [2.0, 3.5]


def test_what_cannot_be_kept_is_said_and_the_text_stays(store: Store) -> None:
    me = Labeller(store, "ada")
    text = view(me).text.value
    store.path.unlink()
    press(me, "good")
    assert "There is no file" in view(me).status.value and view(me).text.value == text


def test_guidelines_and_question_are_shown(tmp_path: Path) -> None:
    task: dict[str, Any] = {"question": "Did they like it?", "guidelines": "Irony & all."}
    me = Labeller(made(tmp_path, ["a"], labels=["yes", "no"], **task), "ada")
    shown = Text(view(me).box.children[0].value.partition("</style>")[2])
    assert "Did they like it?" in shown.text and "Irony & all." in shown.text


def test_a_page_of_guidelines_is_laid_out_and_runs_nothing(tmp_path: Path) -> None:
    page = sources.review_guidelines().attrs["guidelines"]["A"]
    page += "\n\n`<script>` **<img src=x onerror=alert(1)>** | [x](javascript:alert(1)) &#x202e;"
    page += "\n\n[x]: javascript:alert(1)\n\n[x] ![x] <https://a.b>\n\n- a\n  1. b"
    me = Labeller(made(tmp_path, ["a"], labels=["yes", "no"], guidelines=page), "ada")
    shown = Text(view(me).box.children[0].value.partition("</style>")[2])
    assert shown.tags == {
        *("details", "summary", "div", "h2", "p", "strong", "em", "code", "ol", "ul", "li"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    flat = " ".join(shown.text.split())
    assert "Guideline A: the verdict" in shown.text and "**" not in shown.text
    assert "<img src=x onerror=alert(1)>" in shown.text
    assert "the old one lost, the same money" in flat  # a line that an editor had wrapped
    assert "[x]: javascript:alert(1) [x] ![x] <https://a.b> a b" in flat
    assert "\u202e" not in shown.text


def test_a_new_labeller_goes_on_where_the_last_one_stopped(store: Store) -> None:
    press(Labeller(store, "ada"), "good")
    assert "Text 2 of 5" in str(Labeller(Store(store.path), "ada"))
    assert "Text 1 of 5" in str(Labeller(Store(store.path), "bob"))


def test_many_labels_have_as_many_buttons_as_there_are(tmp_path: Path) -> None:
    names = [f"kind {n}" for n in range(15)]
    me = Labeller(made(tmp_path, ["a"], labels=names), "ada")
    press(me, "kind 14")
    assert said(me) == [("label", "kind 14")]


# --- spans ----------------------------------------------------------------------------------------


@pytest.fixture
def spans(tmp_path: Path) -> Labeller:
    texts = ["Ada Lovelace met Bob.", "Paris!", "A text that is longer than the first one, by far."]
    return Labeller(made(tmp_path, texts, labels=["PER", "LOC"], kind="spans"), "ada")


def test_spans_by_buttons(spans: Labeller) -> None:
    words = view(spans).words
    words[1].click()
    words[0].click()  # from the right to the left
    press(spans, "PER")
    words[3].click()
    press(spans, "LOC")
    press(spans, "take back a span")
    words[3].click()
    press(spans, "PER")
    assert "<mark>Ada Lovelace<sub>PER</sub></mark>" in view(spans).text.value
    assert "=PER" in words[0].description and "=" not in words[2].description
    press(spans, "done with this text")
    assert said(spans) == [("label", [[0, 12, "PER"], [17, 20, "PER"]])]
    assert [word.layout.display for word in words] == [None] * 2 + ["none"] * 3
    press(spans, "done with this text")
    assert view(spans).words[:5] == words[:5]  # the third text needs more, and none is replaced


def test_spans_by_lines(spans: Labeller, capsys: pytest.CaptureFixture[str]) -> None:
    box = view(spans).box_of_keys
    for line in ("1-2 per, 4 2", "b", "4 PER", "9 PER", "d"):
        box.value = line
        assert box.value == ""
    assert said(spans) == [("label", [[0, 12, "PER"], [17, 20, "PER"]])]
    spans.label("1 LOC")
    assert said(spans)[-1] == ("label", [[0, 5, "LOC"]])
    assert "1 A | 2 text" in capsys.readouterr().out


def test_a_span_without_words_or_over_another_is_refused(spans: Labeller) -> None:
    press(spans, "PER")
    assert "Press a word first" in view(spans).status.value
    for _ in range(2):
        view(spans).words[0].click()
        press(spans, "PER")
    assert "overlaps" in view(spans).status.value and spans.spans == [(0, 3, "PER")]
    view(spans).box_of_keys.value = "4 PER, 4-5 LOC"
    assert "overlaps" in view(spans).status.value and spans.spans == [(0, 3, "PER")]
    press(spans, "undo")
    assert "nothing to take back" in view(spans).status.value


@pytest.mark.parametrize(
    "line", ["1", "1 ORG", "0 PER", "6 PER", "2-1 PER", "one PER", "1-2-3 PER"]
)
def test_a_line_that_is_no_span_says_how_to_write_one(line: str) -> None:
    with pytest.raises(ValueError, match="Write the numbers|There are words 1 to 5"):
        spans_of("Ada Lovelace met Bob.", line, ["PER", "LOC"])


# --- pairs ----------------------------------------------------------------------------------------


def test_pairs_change_sides_and_the_store_knows_which_was_which(tmp_path: Path) -> None:
    texts = [(f"bad {n}", f"good {n}") for n in range(40)]
    me = Labeller(made(tmp_path, texts, kind="pairs"), "ada")
    sides = []
    while me.item is not None:
        left, right = me._pair()
        assert str(me).index(left) < str(me).index(right)
        shown = view(me).text.value
        assert shown.index(left) < shown.index(right)
        sides.append("left" if left.startswith("good") else "right")
        press(me, sides[-1])
    assert {row["label"] for row in me.store.rows()} == {"second"}
    assert 8 < sides.count("left") < 32  # half of 40; a fair deal misses this 1 time in 10^4
    again = Labeller(me.store, "bob")
    again.label("same")
    assert me.store.rows("bob")[0]["label"] == "same"
    with pytest.raises(ValueError, match="Say left, right, same"):
        again.label("first")
