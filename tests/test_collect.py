"""Collecting: a rude server is met with patience, nothing is asked twice, gaps are named."""

from __future__ import annotations

import json
import socket
import sqlite3
import sys
import threading
import time
import types
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmtrain101 import collect
from llmtrain101.collect import _api

ROWS = [{"n": n, "text": f"row {n} שלום \u202e =1+1 <b>"} for n in range(47)]


def fetch(server: collect.Server, store: Path, **settings: Any) -> collect.Collected:
    settings = {"per_second": 200.0, "timeout": 0.5, "show": False} | settings
    return collect.pages(server.url, store, **settings)


# --- the API ------------------------------------------------------------------------------------


def test_a_rude_server_gives_all_but_the_page_that_is_always_broken(tmp_path: Path) -> None:
    with collect.serve(ROWS, page_size=5, per_second=30, slow=2) as server:
        found = fetch(server, tmp_path / "rows.jsonl", tries=4)
    assert [row["n"] for row in found.rows] == [n for n in range(47) if not 35 <= n < 40]
    assert list(found.skipped) == [8] and "is no JSON" in found.skipped[8]
    said = "\n".join(found.retries)
    for sign in ("page 2: 503", "page 3: no answer in 0.5 s", "page 5: is page 4 again",
                 "page 6: is no JSON"):  # fmt: skip
        assert sign in said
    assert found.asked == len(server.requests) == 10 + len(found.retries)
    assert str(found).endswith("page 8 is missing: " + found.skipped[8])


def test_what_comes_is_what_was_served_letter_by_letter(tmp_path: Path) -> None:
    odd = [{"text": text} for text in ("\0", "<script>", "=cmd|' /C'!A0", "\u202eabc", "", '\n,"')]
    with collect.serve(odd, page_size=2, faults={}) as server:
        assert fetch(server, tmp_path / "odd.jsonl").rows == odd
        assert fetch(server, tmp_path / "odd.jsonl").rows == odd  # and from disk too


def test_a_second_run_asks_only_for_what_is_missing(tmp_path: Path) -> None:
    store = tmp_path / "rows.jsonl"
    with collect.serve(ROWS, page_size=5, faults={8: ["broken"] * 2}, per_second=100) as server:
        first = fetch(server, store, tries=2)
        assert list(first.skipped) == [8]
        before = len(server.requests)
        second = fetch(server, store, tries=2)
        assert second.rows == ROWS and second.already == 9 and not second.skipped
        assert [request.page for request in server.requests[before:]] == [8]


def test_after_a_power_cut_the_torn_page_is_asked_for_again(tmp_path: Path) -> None:
    store = tmp_path / "rows.jsonl"
    with collect.serve(ROWS, page_size=10, faults={}) as server:
        fetch(server, store)
        whole = store.read_bytes()
        lines = whole.splitlines(keepends=True)
        for cut in (len(whole) - 1, len(whole) - 7, sum(map(len, lines[:3])), len(lines[0]) - 2):
            store.write_bytes(whole[:cut])
            assert fetch(server, store).rows == ROWS
            assert store.read_bytes().splitlines()[-1] == lines[-1].rstrip()


def test_ctrl_c_keeps_the_pages_that_came(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "rows.jsonl"
    real = _api._Asking._try

    def interrupted(self: Any, client: Any, page: int, *more: Any) -> Any:
        if page == 4:
            raise KeyboardInterrupt
        return real(self, client, page, *more)

    with collect.serve(ROWS, page_size=10, faults={}) as server:
        with monkeypatch.context() as patched:
            patched.setattr(_api._Asking, "_try", interrupted)
            with pytest.raises(KeyboardInterrupt):
                fetch(server, store)
        found = fetch(server, store)
    assert (found.already, found.asked, found.rows) == (3, 2, ROWS)


def test_never_faster_than_allowed_not_even_when_it_tries_again(tmp_path: Path) -> None:
    faults = {2: ["503", "429", "broken"]}
    with collect.serve(ROWS, page_size=10, per_second=1000, faults=faults) as server:
        fetch(server, tmp_path / "rows.jsonl", per_second=25)
    times = [request.seconds for request in server.requests]
    assert len(times) == 8
    # the server notes when it got round to a request: a few ms of play
    assert all(later - earlier > 0.03 for earlier, later in zip(times, times[1:], strict=False))


def test_the_waits_grow_and_a_server_can_ask_for_more(tmp_path: Path) -> None:
    with collect.serve(ROWS, page_size=47, per_second=1000, faults={1: ["503"] * 5}) as server:
        found = fetch(server, tmp_path / "rows.jsonl", per_second=50, tries=6)
    waits = [float(line.split("waited ")[1].split()[0]) for line in found.retries]
    assert len(waits) == 5 and all(b > a for a, b in zip(waits[1:], waits[2:], strict=False))
    with collect.serve(ROWS, page_size=5, per_second=4, faults={}) as server:
        start = time.monotonic()
        found = fetch(server, tmp_path / "fast.jsonl", per_second=1000, tries=10)
        assert found.rows == ROWS and any("429" in line for line in found.retries)
        assert time.monotonic() - start > 1.5  # 10 pages at 4 a second
        refused = sum(request.answer == "429" for request in server.requests)
        assert refused <= 6  # once for each page after the fourth: it waited as it was told


@contextmanager
def answering(*answers: bytes | tuple[int, dict[str, str], bytes]) -> Iterator[str]:
    """A server that gives these answers in turn, the last of them for ever."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = left.pop(0) if len(left) > 1 else left[0]
            status, headers, content = answer if isinstance(answer, tuple) else (200, {}, answer)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(content)
            except ConnectionError:
                pass

        def log_message(self, *_: Any) -> None:
            pass

    class Quiet(HTTPServer):
        def server_bind(self) -> None:
            socket.socket.bind(self.socket, self.server_address)
            self.server_address = self.socket.getsockname()
            self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    server = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/things"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(url: str, store: Path, **settings: Any) -> collect.Collected:
    return collect.pages(
        url, store, **{"per_second": 500, "tries": 2, "timeout": 2, "show": False} | settings
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, {}, b""), "says no .401 Unauthorized.: does it want a key"),
        ((429, {"Retry-After": "3600"}, b""), "asks to wait 3,600 s .429"),
        ((503, {"Retry-After": "Fri, 31 Dec 2099 23:59:59 GMT"}, b""), "asks to wait"),
        ((302, {"Location": "https://elsewhere.example/"}, b""), "302 Found, to 'https://elsewh"),
        ((404, {}, b""), "the first page failed, 404 Not Found"),
        (b"x" * 5_000, "longer than 4,000 bytes"),
        (b'{"items": [], "pages": "many"}', "'many' at 'pages' is no number of pages"),
        (b"[1, 2]", "no list of rows at 'items'; the answer has 'list'"),
        (b'{"rows": []}', "no list of rows at 'items'; the answer has"),
        (b"[" * 3_000, "is no JSON"),
        ((200, {"Content-Encoding": "gzip"}, b"\x1f\x8b"), "compressed, although asked not to be"),
    ],
)
def test_what_will_not_get_better_is_said_at_once(answer: Any, said: str, tmp_path: Path) -> None:
    with answering(answer) as url, pytest.raises(collect.Stopped, match=said):
        ask(url, tmp_path / "x.jsonl", largest=4_000)


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(collect.Stopped, match="cannot be reached .*are you online?"):
        ask(f"http://127.0.0.1:{port}/", tmp_path / "x.jsonl")


def test_an_answer_that_drips_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            for _ in range(2):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(4_000)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                    try:
                        for _ in range(100):
                            connection.sendall(b" ")
                            time.sleep(0.02)
                    except OSError:
                        pass

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        start = time.monotonic()
        with pytest.raises(collect.Stopped, match="not whole after 0.2 s, 2 times"):
            ask(f"http://127.0.0.1:{listener.getsockname()[1]}/", tmp_path / "x.jsonl", timeout=0.2)
        assert time.monotonic() - start < 3
        thread.join(timeout=5)


def test_other_shapes_of_api(tmp_path: Path) -> None:
    answers = [json.dumps([1, 2]).encode(), b"[3]", b"[]"]
    with answering(*answers) as url:
        found = ask(url, tmp_path / "list.jsonl", items=None,
                    parameters=lambda page: {"offset": 2 * page - 2})  # fmt: skip
    assert found.rows == [1, 2, 3] and found.pages == 2
    with answering(b'{"items": [1]}', (500, {}, b"")) as url:
        lost = ask(url, tmp_path / "lost.jsonl", count=None)
        assert list(lost.skipped) == [2, 3, 4] and "not known where it ends" in lost.skipped[4]


def test_half_a_character_survives_the_disk(tmp_path: Path) -> None:
    with answering(b'{"items": ["\\ud83d", "\\u0000"], "pages": 1}') as url:
        for _ in range(2):
            assert ask(url, tmp_path / "x.jsonl").rows == ["\ud83d", "\0"]
    with pytest.raises(ValueError, match="text: 'utf-8' codec can't encode"):
        collect.enter(tmp_path / "y.jsonl", {"text": str}, text="\ud83d")


def test_a_store_of_another_api_is_not_mixed_in(tmp_path: Path) -> None:
    store = tmp_path / "x.jsonl"
    with collect.serve(ROWS, faults={}) as server:
        fetch(server, store)
    before = store.read_bytes()
    with pytest.raises(ValueError, match="line 1: these pages are not of http://127.0.0.1/other"):
        ask("http://127.0.0.1/other", store)
    store.write_bytes(before.replace(b'"page": 2', b'"page" 2'))
    with pytest.raises(ValueError, match="x.jsonl, line 3"):
        ask(server.url, store)


@pytest.mark.parametrize(
    "content",
    [b"my thesis\n", b"my thesis", b"a\nb\n", b"{}", b'{"url": 1', b"[" * 9_000, b"\xff"],
)
def test_a_file_of_somebody_else_is_left_as_it_is(content: bytes, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_bytes(content)
    with pytest.raises(ValueError, match="notes.txt, line 1: this is no store of pages; name"):
        ask("http://127.0.0.1/things", notes)
    assert notes.read_bytes() == content


@pytest.mark.parametrize("url", ["ftp://x", "x.org", "http://", "file:///etc/passwd"])
def test_a_url_must_be_one(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must begin with http:// or https://"):
        ask(url, tmp_path / "x.jsonl")


def test_numbers_out_of_range_are_named(tmp_path: Path) -> None:
    for name in ("per_second", "tries", "timeout", "largest", "most"):
        with pytest.raises(ValueError, match=f"{name} must be above 0, got 0"):
            ask("http://127.0.0.1/", tmp_path / "x.jsonl", **{name: 0})


@pytest.mark.parametrize("names", [["slwo"], "503", "slow", ["99"], [503]])
def test_a_fault_that_is_none_is_refused(names: Any) -> None:
    with pytest.raises(ValueError, match="a fault of page 1 must be a list of 'slow', .* got"):
        collect.serve(ROWS, faults={1: names})


def test_too_many_requests_can_be_the_first_answer(tmp_path: Path) -> None:
    with collect.serve(ROWS, page_size=47, faults={1: ["429"]}) as server:
        found = fetch(server, tmp_path / "x.jsonl")
    assert found.rows == ROWS and found.retries[0].startswith("page 1: 429 Too Many Requests")


def test_no_proxy_stands_between_this_machine_and_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with collect.serve(ROWS, faults={}) as server:
        assert fetch(server, tmp_path / "x.jsonl").rows == ROWS


def test_a_key_is_sent_and_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []
    real = httpx.Client.send

    def send(self: Any, request: Any, **more: Any) -> Any:
        sent.append(request.headers.get("Authorization"))
        return real(self, request, **more)

    monkeypatch.setattr(httpx.Client, "send", send)
    store = tmp_path / "x.jsonl"
    with collect.serve(ROWS, page_size=47, faults={}) as server:
        fetch(server, store, headers={"Authorization": "Bearer abc123"})
    assert sent == ["Bearer abc123"] and "abc123" not in store.read_text(encoding="utf-8")


def test_the_server_listens_on_this_machine_only_and_goes() -> None:
    with collect.serve(ROWS) as server:
        assert server.server_address[0] == "127.0.0.1"
        address = ("127.0.0.1", server.server_port)
        for target in ("/other", "/rows?page=x", "/rows?page=" + "9" * 50, "/rows?page=99"):
            answer = httpx.get(f"http://127.0.0.1:{address[1]}{target}", trust_env=False)
            assert answer.status_code == 404
    with pytest.raises(OSError), socket.create_connection(address, timeout=1):
        pass


# --- folders and SQLite -------------------------------------------------------------------------


def test_a_folder_in_mixed_encodings(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "bom.txt").write_bytes("\ufeffÜber".encode())
    (tmp_path / "latin.txt").write_bytes("Über".encode("cp1252"))
    (tmp_path / "neither.txt").write_bytes(b"\x81\xff")
    (tmp_path / "zero.txt").write_bytes(b"a\x00b")
    (tmp_path / "long.txt").write_bytes(b"x" * 2_000)
    (tmp_path / "not.csv").write_bytes(b"x")
    rows = {row["path"]: row for row in collect.folder(tmp_path, largest=1_000)}
    assert list(rows) == ["a/bom.txt", "latin.txt", "long.txt", "neither.txt", "zero.txt"]
    assert rows["a/bom.txt"]["text"] == rows["latin.txt"]["text"] == "Über"
    assert rows["latin.txt"]["problem"] == "not utf-8-sig, read as cp1252"
    assert rows["zero.txt"]["text"] == "a\0b" and rows["zero.txt"]["problem"] is None
    assert (
        rows["neither.txt"]["text"] is None and "none of the enc" in rows["neither.txt"]["problem"]
    )
    assert rows["long.txt"]["problem"] == "longer than 1,000 bytes"
    with pytest.raises(TypeError, match=r"for one, write encodings=\['utf-8'\]"):
        collect.folder(tmp_path, encodings="utf-8")
    with pytest.raises(FileNotFoundError, match=r"is called \*.md"):
        collect.folder(tmp_path, "*.md")


def test_files_of_many_rows_each(tmp_path: Path) -> None:
    for name, rows in {"a": ["x,y", "1,2", "3"], "b/c": ["x,y", '"5",=6+1']}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="a.csv, line 3"):
        collect.files(tmp_path)
    with pytest.warns(RuntimeWarning, match="a.csv: 1 rows, 1 damaged"):
        rows = collect.files(tmp_path, errors="report")
    assert rows == [
        {"path": "a.csv", "x": "1", "y": "2"},
        {"path": "b/c.csv", "x": "5", "y": "=6+1"},
    ]
    with pytest.raises(FileNotFoundError, match="no file in .* is called"):
        collect.files(tmp_path, "*.jsonl")
    (tmp_path / "d.jsonl").write_text('{"path": 1}\n', encoding="utf-8")
    with pytest.raises(ValueError, match="d.jsonl has a column 'path'"):
        collect.files(tmp_path, "*.jsonl")


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                'a "b"': st.text(st.characters(codec="utf-8"), max_size=8),
                "n": st.none() | st.integers(-(2**63), 2**63 - 1),
            }
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_sqlite_gives_back_what_it_was_given(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    path = tmp_path / "x.db"
    path.unlink(missing_ok=True)
    assert collect.to_sqlite(path, "my; table", rows) == len(rows)
    back = collect.sqlite(path, "my; table")
    assert back['a "b"'].tolist() == [row['a "b"'] for row in rows]
    numbers = back["n"].astype(object).where(back["n"].notna(), None).tolist()
    assert numbers == [row["n"] for row in rows]


def test_sqlite_reads_only_and_says_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with pytest.raises(FileNotFoundError):
        collect.sqlite(path, "t")
    assert not path.exists()
    collect.to_sqlite(path, "t", [{"text": "Robert'); drop table t;--"}])
    found = collect.sqlite(path, "select * from t where text = ?", ["Robert'); drop table t;--"])
    assert len(found) == 1
    with pytest.raises(ValueError, match="x.db: no such table: u. Its tables: t."):
        collect.sqlite(path, "select * from u")
    with pytest.raises(ValueError, match="readonly"):
        collect.sqlite(path, "delete from t")
    for query in ("", "-- nothing", "pragma user_version = 3"):
        with pytest.raises(ValueError, match="gives no table. Its tables: t.|readonly"):
            collect.sqlite(path, query)
    assert len(collect.sqlite(path, "t")) == 1
    (tmp_path / "no.db").write_bytes(b"not a database at all, of some length")
    with pytest.raises(ValueError, match="no.db is no SQLite database"):
        collect.sqlite(tmp_path / "no.db", "t")


def test_to_sqlite_adds_all_rows_or_none(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    collect.to_sqlite(path, "t", [{"a": 1}])
    for value in ([3], 2**70, "\ud83d", pd.Timestamp(0)):
        with pytest.raises(ValueError, match=r"rows\[1\], column 'a': .* cannot be kept in SQLite"):
            collect.to_sqlite(path, "t", [{"a": 2}, {"a": value}])
        with pytest.raises(ValueError, match=r"rows\[0\], column 'b'"):
            collect.to_sqlite(path, "new", [{"a": 1, "b": value}])
    with pytest.raises(ValueError, match="no such table: new. Its tables: t."):
        collect.sqlite(path, "select * from new")
    with pytest.raises(ValueError, match="x.db, table 't': table t has no column named b"):
        collect.to_sqlite(path, "t", [{"b": 2}])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create unique index once on t (a)")
    with pytest.raises(ValueError, match=r"table 't', rows\[1\]: UNIQUE constraint failed: t.a"):
        collect.to_sqlite(path, "t", [{"a": 2}, {"a": 1}])
    assert collect.sqlite(path, "t")["a"].tolist() == [1]
    with pytest.raises(ValueError, match=r"rows\[1\] has the columns"):
        collect.to_sqlite(path, "t", [{"a": 2}, {"b": 3}])


def test_numbers_of_numpy_stay_numbers(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    collect.to_sqlite(path, "t", [{"n": np.int64(5), "x": np.float32(0.5), "b": np.True_}])
    assert collect.sqlite(path, "t").values.tolist() == [[5, 0.5, 1]]


# --- by hand ------------------------------------------------------------------------------------

FIELDS: dict[str, Any] = {"text": str, "label": ["ham", "spam"], "age": range(121), "sure": bool}


def test_a_row_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    store = tmp_path / "rows.jsonl"
    odd = "<script>\0\u202e =1+1\nsecond line"
    row = collect.enter(store, FIELDS, text=odd, label="spam", age="7", sure=True)
    assert row == {"text": odd, "label": "spam", "age": 7, "sure": True}
    with pytest.raises(ValueError) as caught:
        collect.enter(store, FIELDS, text=" ", label="SPAM", age="121", sure="yes", more=1)
    for said in ("'more' is no field", "text: is missing", "label: 'SPAM' is none of 'ham', 'spam'",
                 "age: 121 is not within 0 to 120", "sure: 'yes' is neither"):  # fmt: skip
        assert said in str(caught.value)
    for age in ("seven", "7.5", 7.5, True, "1e2", None):
        with pytest.raises(ValueError, match="age: "):
            collect.enter(store, FIELDS, text="x", label="ham", age=age, sure=False)
    lines = store.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [row]
    store.write_bytes(store.read_bytes().rstrip())  # as some editors leave a file
    collect.enter(store, FIELDS, text="more", label="ham", age=8, sure=False)
    lines = store.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["age"] for line in lines] == [7, 8]


@pytest.mark.parametrize("field", ["yes no", list, range(0), []])
def test_what_is_no_field_is_refused(field: Any, tmp_path: Path) -> None:
    for make in (collect.enter, collect.form):
        with pytest.raises(TypeError, match="the field 'x' must be str, int, .* got"):
            make(tmp_path / "r.jsonl", {"x": field})


def test_a_range_says_its_step(tmp_path: Path) -> None:
    for field in (range(0, 100, 10), range(90, -1, -10)):
        with pytest.raises(ValueError, match="x: 15 is not within 0 to 90 in steps of 10"):
            collect.enter(tmp_path / "r.jsonl", {"x": field}, x=15)


@pytest.mark.parametrize("value", ["nan", "inf", "1e999", "two", False])
def test_a_number_is_finite(value: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x: "):
        collect.enter(tmp_path / "r.jsonl", {"x": float}, x=value)


def test_two_people_at_once_lose_nothing(tmp_path: Path) -> None:
    store = tmp_path / "rows.jsonl"

    def type_in(who: str) -> None:
        for n in range(20):
            collect.enter(store, {"text": str}, text=f"{who}{n} " + "x" * 3_000)

    threads = [threading.Thread(target=type_in, args=(who,)) for who in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = store.read_text(encoding="utf-8").splitlines()
    assert len({json.loads(line)["text"] for line in lines}) == len(lines) == 60


def test_the_form_says_what_is_wrong_and_keeps_what_is_right(tmp_path: Path) -> None:
    store = tmp_path / "rows.jsonl"
    form = collect.form(store, FIELDS)
    shown = form._repr_mimebundle_()
    assert "fields text, label, age, sure;" in shown["text/plain"] and len(shown) == 3
    text, label, age, sure, button, said = form.children
    text.value, age.value = "<b>bold</b>", "300"
    button.click()
    assert said.value.startswith("<b>Not saved.</b> label: is missing; age: 300 is not within")
    assert text.value == "<b>bold</b>" and not store.exists()
    label.value, age.value, sure.value = "ham", "30", True
    button.click()
    assert "Saved row 1" in said.value and "<b>bold" not in said.value
    assert (text.value, label.value, age.value, sure.value) == ("", None, "", False)
    assert json.loads(store.read_text(encoding="utf-8"))["text"] == "<b>bold</b>"


# --- the Hub ------------------------------------------------------------------------------------


def fake_datasets(monkeypatch: pytest.MonkeyPatch, load: Any) -> None:
    module = types.ModuleType("datasets")
    module.load_dataset = load  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", module)
    constants = types.ModuleType("huggingface_hub.constants")
    monkeypatch.setitem(sys.modules, "huggingface_hub.constants", constants)
    monkeypatch.setattr("llmtrain101.collect._hub._reach", lambda: None)


def test_hub_rows_are_taken_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []

    def load(name: str, config: Any, **settings: Any) -> Iterator[dict[str, int]]:
        assert settings == {"split": "test", "streaming": True, "revision": "abc"}
        for n in range(1_000):
            taken.append(n)
            yield {"n": n}

    fake_datasets(monkeypatch, load)
    monkeypatch.delenv("HF_HUB_DISABLE_TELEMETRY", raising=False)
    rows = collect.hub("some/set", "test", revision="abc", limit=3)
    assert rows == [{"n": 0}, {"n": 1}, {"n": 2}] and len(taken) <= 3
    assert sys.modules["huggingface_hub.constants"].HF_HUB_DISABLE_TELEMETRY is True


def test_hub_without_network_or_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: Any, **__: Any) -> None:
        try:
            raise httpx.ConnectError("[Errno -2] Name or service not known")
        except httpx.ConnectError as error:
            raise RuntimeError("Couldn't reach it") from error

    fake_datasets(monkeypatch, offline)
    with pytest.raises(ConnectionError, match="Go online, or use a file"):
        collect.hub("some/set")

    def unknown(*_: Any, **__: Any) -> None:
        raise FileNotFoundError("no such data set")

    fake_datasets(monkeypatch, unknown)
    with pytest.raises(LookupError, match="The Hub has no 'some/set'"):
        collect.hub("some/set")


def test_hub_says_at_once_that_there_is_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    from llmtrain101.collect import _hub

    reach = _hub._reach
    fake_datasets(monkeypatch, lambda *_, **__: pytest.fail("asked the library all the same"))
    monkeypatch.setattr(_hub, "_reach", reach)
    with pytest.raises(ConnectionError, match="The Hub cannot be reached"):
        collect.hub("some/set")


def test_hub_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'llmtrain101\[hub\]'"):
        collect.hub("some/set")
