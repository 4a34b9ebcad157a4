"""A small web API on this machine alone, as rude as real ones: for lessons and tests."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

# What happens to the first requests for a page; when the list is used up, the page comes.
FAULTS: Mapping[int, Sequence[str]] = {
    2: ("503", "503"),
    3: ("slow",),
    5: ("repeat",),
    6: ("broken",),
    8: ("broken",) * 100,
}

_KNOWN = {"slow", "repeat", "broken", *map(str, range(200, 600))}


class Request(NamedTuple):
    """What the server was asked: when (seconds of its clock), for which page, and its answer."""

    seconds: float
    page: int
    answer: str


class Server(ThreadingHTTPServer):
    """Serves rows in pages; see `serve`.

    Attributes
    ----------
    url : str
    requests : list of Request
        All that was asked so far.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self,
        rows: Sequence[Mapping[str, Any]],
        page_size: int,
        per_second: float,
        faults: Mapping[int, Sequence[str]],
        slow: float,
    ) -> None:
        self.rows = list(rows)
        self.page_size = page_size
        self.per_second = per_second
        self.slow = slow
        self.requests: list[Request] = []
        self._faults = {page: list(names) for page, names in faults.items()}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)  # port 0: whichever is free
        self.url = f"http://127.0.0.1:{self.server_port}/rows"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    def server_bind(self) -> None:
        """Bind without asking the network for this machine's name, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def start(self) -> Self:
        """Serve from now on, until `close` or the end of the process."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop serving; a page that is being slow is not waited for."""
        self._closing.set()
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def answer(self, page: int) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and content for a page."""
        count = max(1, -(-len(self.rows) // self.page_size))
        with self._lock:
            now = time.monotonic()
            # the same window slides along for everybody: at most so many in any one second
            recent = [r for r in self.requests if now - r.seconds < 1 and r.answer != "429"]
            if len(recent) >= self.per_second:
                fault = "429"
            elif not 1 <= page <= count:
                fault = "404"
            else:
                waiting = self._faults.get(page)
                fault = waiting.pop(0) if waiting else "page"
            self.requests.append(Request(now, page, fault))
        if fault == "429":
            # a little more, since it is rounded
            wait = 1.01 - (now - recent[0].seconds if recent else 0)
            return 429, {"Retry-After": f"{wait:.2f}"}, _json({"error": "too many requests"})
        if fault.isdigit():
            return int(fault), {}, _json({"error": fault})
        if fault == "slow":
            self._closing.wait(self.slow)
        start = (page - (2 if fault == "repeat" and page > 1 else 1)) * self.page_size
        content = _json(
            {"page": page, "pages": count, "items": self.rows[start : start + self.page_size]}
        )
        return 200, {}, content[: len(content) * 2 // 3] if fault == "broken" else content


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = 30

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        given = parse_qs(parts.query).get("page", ["1"])[0]
        known = parts.path == "/rows" and given.isdecimal() and len(given) < 9
        status, headers, content = self.server.answer(int(given) if known else 0)
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except ConnectionError:  # whoever asked has lost patience
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the requests are in `Server.requests`."""


def serve(
    rows: Sequence[Mapping[str, Any]],
    *,
    page_size: int = 20,
    per_second: float = 20,
    faults: Mapping[int, Sequence[str]] = FAULTS,
    slow: float = 3.0,
) -> Server:
    """A web API that serves rows in pages, on this machine alone: `with serve(rows) as server`.

    Over several cells of a notebook: `server = serve(rows).start()`, at the end `server.close()`.

    `GET url?page=3` answers `{"page": 3, "pages": 12, "items": [...]}`.

    Parameters
    ----------
    rows : sequence of mappings
        Of values that JSON can hold.
    page_size : int
        Rows to a page; pages are numbered from 1.
    per_second : float
        How many requests it takes in any one second; whoever asks more is told 429 ("too many
        requests") and, in `Retry-After`, how many seconds to wait.
    faults : mapping of int to sequences of str
        What happens to the first requests for a page: a status ("503", "404"), "slow", "repeat"
        (the content of the page before) or "broken" (JSON that stops in the middle). The default
        has one of each, and a page that is always broken.
    slow : float
        Seconds that a slow page takes.

    Raises
    ------
    ValueError
        If a number is out of range, or a fault is none.

    Examples
    --------
    >>> import urllib.request
    >>> with serve([{"text": "one"}, {"text": "two"}], page_size=1, faults={}) as server:
    ...     opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    ...     with opener.open(f"{server.url}?page=2") as answer:
    ...         json.load(answer)
    {'page': 2, 'pages': 2, 'items': [{'text': 'two'}]}
    """
    if page_size < 1 or not per_second > 0:
        raise ValueError(
            f"page_size must be at least 1 and per_second above 0, got {page_size}, {per_second}."
        )
    for page, names in faults.items():
        for name in names:
            if name not in _KNOWN:
                raise ValueError(
                    f"a fault of page {page} must be a list of 'slow', 'repeat', 'broken' or a "
                    f"status such as '503', got {names!r}."
                )
    return Server(rows, page_size, per_second, faults, slow)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
