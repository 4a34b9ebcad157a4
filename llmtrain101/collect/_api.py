"""Every page of a web API, politely, and without asking twice for what is there.

Pages are appended to a file as they come. Whoever stops, by Ctrl-C or a power cut, runs the same
line again and goes on after the last page.
"""

from __future__ import annotations

import email.utils
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import tenacity

from llmtrain101.progress import bar

AGENT = "llmtrain101 (a course; asks one page at a time)"


class Stopped(RuntimeError):
    """The API will not be asked any further now; the pages that came are kept."""


class _Again(Exception):
    """Worth another try, after `seconds` at least."""

    def __init__(self, why: str, seconds: float = 0.0) -> None:
        super().__init__(why)
        self.seconds = seconds


class _Skip(Exception):
    """Not worth another try; what is wrong with this page."""


class Collected:
    """What came of collecting.

    Attributes
    ----------
    rows : list
        The items of all pages, in the order of the pages.
    skipped : dict of int to str
        Pages that are missing, and why.
    retries : list of str
        Each failed try, in order: which page, what was wrong, how long it then waited.
    asked : int
        How many requests it took, this time.
    already : int
        How many pages were on disk before.
    """

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.skipped: dict[int, str] = {}
        self.retries: list[str] = []
        self.asked = 0
        self.already = 0
        self.pages = 0

    def __repr__(self) -> str:
        lines = [
            f"{len(self.rows):,} rows of {self.pages} pages; {self.already} of them were there "
            f"before; {self.asked} requests"
        ]
        lines += [f"page {page} is missing: {why}" for page, why in self.skipped.items()]
        return "\n".join(lines)


def pages(
    url: str,
    store: str | Path,
    *,
    per_second: float = 2.0,
    parameters: Callable[[int], Mapping[str, Any]] = lambda page: {"page": page},
    items: str | None = "items",
    count: str | None = "pages",
    headers: Mapping[str, str] | None = None,
    tries: int = 5,
    timeout: float = 10.0,
    largest: int = 10_000_000,
    patience: float = 120.0,
    most: int = 100_000,
    show: bool = True,
) -> Collected:
    """Collect all pages of a JSON API, one after the other, numbered from 1.

    A page that fails for a while (no connection, no answer in time, 429, 5xx, JSON that is cut
    off, the content of another page) is asked for again after a wait that doubles each time, or
    that the server names. One that keeps failing is skipped, and said to be missing; run the same
    call again and only missing pages are asked for. A page that is there is never asked for again,
    though the API may have something new by now: delete the file to collect anew.

    Parameters
    ----------
    url : str
        `http://` or `https://`. Redirects are not followed, so that a key in `headers` goes
        nowhere else.
    store : str or Path
        A file of JSON lines, one a page, to which each page is added in one step. It belongs to
        one API: a file that was begun for another `url` is refused.
    per_second : float
        Never asks more often, tries that failed included. Look up what the API allows.
    parameters : callable
        From the number of a page to what is asked: `lambda page: {"offset": 50 * (page - 1)}`.
    items, count : str or None
        Where in the answer the rows are, and how many pages there are. With items=None the answer
        itself is the list; then, and with count=None, the first page without rows is the end.
    headers : mapping, optional
        For example a key of yours: `{"Authorization": f"Bearer {os.environ['MY_KEY']}"}`. Nothing
        of it is written to disk.
    tries : int
        How often a page is asked for at most.
    timeout : float
        Seconds in which an answer must be whole.
    largest : int
        Bytes after which an answer is refused.
    patience : float
        The longest wait, in seconds, that a server may ask for.
    most : int
        Pages after which it stops, whatever the API says.
    show : bool
        Whether a progress bar is shown.

    Raises
    ------
    Stopped
        If the API says no (401, 403), asks for more than `patience`, or cannot be reached at all.
    ValueError
        If `url` is no web address, a number is out of range, or `store` is of another API.

    Examples
    --------
    >>> import tempfile
    >>> from llmtrain101 import collect
    >>> rows = [{"n": n} for n in range(50)]
    >>> with tempfile.TemporaryDirectory() as place, collect.serve(rows, faults={}) as server:
    ...     store = Path(place) / "rows.jsonl"
    ...     found = collect.pages(server.url, store, per_second=20, show=False)
    ...     again = collect.pages(server.url, store, per_second=20, show=False)
    >>> found
    50 rows of 3 pages; 0 of them were there before; 3 requests
    >>> again.rows == rows, again.asked
    (True, 0)
    """
    host = urlsplit(url).hostname
    if urlsplit(url).scheme not in ("http", "https") or not host:
        raise ValueError(f"url must begin with http:// or https:// and name a host, got {url!r}.")
    for name, value in [
        ("per_second", per_second),
        ("tries", tries),
        ("timeout", timeout),
        ("largest", largest),
        ("most", most),
    ]:
        if not value > 0:
            raise ValueError(f"{name} must be above 0, got {value}.")
    count = count if items is not None else None
    there = _Store(Path(store), url)
    found = Collected()
    found.already = len(there.pages)
    asking = _Asking(url, per_second, timeout, largest, patience, found)
    local = host in ("localhost", "::1") or host.startswith("127.")
    with (
        httpx.Client(
            timeout=timeout,
            headers={"User-Agent": AGENT, "Accept-Encoding": "identity", **(headers or {})},
            trust_env=not local,  # a proxy cannot reach this machine
        ) as client,
        bar(there.count or 1, "collecting", unit="page", show=show) as progress,
    ):
        page, end = 1, there.count or most
        while page <= min(end, most):
            if page not in there.pages:
                try:
                    answer = asking.page(client, page, parameters(page), tries, items, there)
                    if count is not None:
                        end = _count(answer, count)
                    rows = answer if items is None else answer[items]
                    if not rows and count is None:
                        end = page - 1
                        break
                    there.add(page, rows, end if count is not None else None)
                except _Skip as error:
                    found.skipped[page] = str(error)
                    if count is None and list(found.skipped)[-3:] == [page - 2, page - 1, page]:
                        found.skipped[page] += "; three in a row, so it is not known where it ends"
                        break
                    if page == 1 and not there.pages:
                        raise Stopped(f"{url}: the first page failed, {error}.") from None
            progress.total = page + 1 if count is None else min(end, most)
            progress.update()
            page += 1
    found.pages = page - 1
    found.rows = [row for number in sorted(there.pages) for row in there.pages[number]]
    return found


class _Asking:
    """Asks for a page until it comes, no faster than allowed."""

    def __init__(
        self,
        url: str,
        per_second: float,
        timeout: float,
        largest: int,
        patience: float,
        found: Collected,
    ) -> None:
        self.url, self.timeout, self.largest, self.patience = url, timeout, largest, patience
        self.gap = 1 / per_second
        self.next_time = 0.0
        self.found = found

    def page(
        self,
        client: httpx.Client,
        page: int,
        parameters: Mapping[str, Any],
        tries: int,
        items: str | None,
        there: _Store,
    ) -> Any:
        """The answer for a page, or `_Skip`."""
        growing = tenacity.wait_exponential(self.gap, max=60) + tenacity.wait_random(0, self.gap)

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            return max(growing(state), error.seconds if isinstance(error, _Again) else 0.0)

        def note(state: tenacity.RetryCallState) -> None:
            why = state.outcome.exception() if state.outcome else None
            self.found.retries.append(f"page {page}: {why}; waited {state.upcoming_sleep:.2f} s")

        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(tries),
            retry=tenacity.retry_if_exception_type(_Again),
            wait=wait,
            before_sleep=note,
            sleep=time.sleep,
            reraise=True,
        )
        try:
            return retrying(self._try, client, page, parameters, items, there)
        except _Again as error:
            if isinstance(error.__cause__, httpx.ConnectError):
                raise Stopped(
                    f"{self.url} cannot be reached ({error}). What came is kept; are you online?"
                ) from None
            raise _Skip(f"{error}, {tries} times") from None

    def _try(
        self,
        client: httpx.Client,
        page: int,
        parameters: Mapping[str, Any],
        items: str | None,
        there: _Store,
    ) -> Any:
        time.sleep(max(0.0, self.next_time - time.monotonic()))
        self.next_time = time.monotonic() + self.gap
        self.found.asked += 1
        begin = time.monotonic()
        try:
            with client.stream("GET", self.url, params=dict(parameters)) as response:
                self._check(response)
                content = bytearray()
                for chunk in response.iter_raw():
                    content += chunk
                    if len(content) > self.largest:
                        raise _Skip(f"longer than {self.largest:,} bytes")
                    if time.monotonic() - begin > self.timeout:  # drop by drop is slow too
                        raise _Again(f"not whole after {self.timeout:g} s")
        except httpx.TimeoutException as error:
            raise _Again(f"no answer in {self.timeout:g} s") from error
        except httpx.TransportError as error:
            raise _Again(f"{type(error).__name__}: {error}") from error
        try:
            answer = json.loads(content.decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise _Again(f"is no JSON ({error})") from error
        rows = answer
        if items is not None:
            rows = answer.get(items) if isinstance(answer, dict) else None
        if not isinstance(rows, list):
            keys = list(answer) if isinstance(answer, dict) else type(answer).__name__
            raise _Skip(f"no list of rows at {items!r}; the answer has {keys!r:.80}")
        if (twin := there.twin(page, rows)) is not None:
            raise _Again(f"is page {twin} again")
        return answer

    def _check(self, response: httpx.Response) -> None:
        status = response.status_code
        said = f"{status} {response.reason_phrase}".strip()
        if status in (401, 403):
            raise Stopped(f"{self.url} says no ({said}): does it want a key in `headers`?")
        if status in (408, 425, 429) or status >= 500:
            seconds = _retry_after(response.headers.get("Retry-After", ""))
            if seconds > self.patience:
                raise Stopped(
                    f"{self.url} asks to wait {seconds:,.0f} s ({said}). Run it again then: what "
                    "came is kept."
                )
            raise _Again(said, seconds)
        if response.has_redirect_location:
            raise _Skip(f"{said}, to {response.headers['Location']!r:.200}; pass that as url")
        if status != 200:
            raise _Skip(said)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise _Skip("compressed, although asked not to be")


def _retry_after(text: str) -> float:
    """Seconds of a `Retry-After`, which may also be a date."""
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError):
        return 0.0


def _count(answer: Mapping[str, Any], count: str) -> int:
    number = answer.get(count)
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise Stopped(f"{number!r} at {count!r} is no number of pages; pass count=None.")
    return number


class _Store:
    """The pages that are on disk: a line that says whose they are, then one line for each."""

    def __init__(self, path: Path, url: str) -> None:
        self.path = path
        self.pages: dict[int, list[Any]] = {}
        self.count = 0
        self._seen: dict[bytes, int] = {}
        content = path.read_bytes() if path.is_file() else b""
        header = _line({"url": url})
        # nothing, or a power cut in the middle of the first line: it begins anew
        lines = [] if header.startswith(content) else content.splitlines(keepends=True)
        whole = 0
        for number, line in enumerate(lines):
            try:
                if number == 0:
                    self._owned(line, url)
                elif not line.endswith(b"\n"):
                    raise ValueError("cut off")
                else:
                    self._take(json.loads(line))
            except (ValueError, TypeError, KeyError, LookupError, RecursionError) as error:
                if number == 0 or number + 1 < len(lines):
                    raise ValueError(f"{path.name}, line {number + 1}: {error}") from None
                break  # a power cut in the middle of the last line: that page is asked for again
            whole += len(line)
        if whole < len(content):
            os.truncate(path, whole)
        if not whole:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._append(header)

    @staticmethod
    def _owned(line: bytes, url: str) -> None:
        """Refuse a file that was not begun here for `url`: it may be somebody's only copy."""
        try:
            begun = json.loads(line) if line.endswith(b"\n") else None
        except (ValueError, RecursionError):
            begun = None
        if not isinstance(begun, dict) or "url" not in begun:
            raise ValueError("this is no store of pages; name another file")
        if begun["url"] != url:
            raise ValueError(f"these pages are not of {url}; name another file")

    def _take(self, line: Any) -> None:
        page, rows = int(line["page"]), list(line["items"])
        self.count = line.get("pages") or self.count
        self.pages[page] = rows
        self._seen[_digest(rows)] = page

    def twin(self, page: int, rows: list[Any]) -> int | None:
        """Another page with exactly these rows."""
        return self._seen.get(_digest(rows)) if rows else None

    def add(self, page: int, rows: list[Any], count: int | None) -> None:
        self._append(_line({"page": page, "pages": count, "items": rows}))
        self.pages[page] = rows
        self._seen[_digest(rows)] = page

    def _append(self, line: bytes) -> None:
        with self.path.open("ab", buffering=0) as file:  # one write: it is there, or it is not
            file.write(line)
            os.fsync(file.fileno())


def _line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"  # all ASCII: half a surrogate pair is kept too


def _digest(rows: list[Any]) -> bytes:
    text = json.dumps(rows, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
