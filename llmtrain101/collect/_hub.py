"""A data set of the Hugging Face Hub by its name, through `datasets`; no telemetry."""

from __future__ import annotations

import itertools
import os
import sys
from typing import Any

import httpx

MISSING = (
    "Data sets of the Hub need the package datasets; install it with: pip install "
    "'llmtrain101[hub]'"
)


def hub(
    name: str,
    split: str = "train",
    *,
    config: str | None = None,
    revision: str | None = None,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Rows of a data set of the Hub, read as they come: no more is downloaded than is asked for.

    Parameters
    ----------
    name : str
        As on its page: `"stanfordnlp/imdb"`.
    split : str
        Which part.
    config : str, optional
        Which variant, where there are several.
    revision : str, optional
        A commit of the data set. Name one in whatever others are to repeat: data sets change.
    limit : int, optional
        How many rows at most.

    Raises
    ------
    ModuleNotFoundError
        If `datasets` is not installed.
    ConnectionError
        If the Hub cannot be reached.
    LookupError
        If there is no such data set, variant or part, or it is not open to everybody.
    """
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"  # read when the library is first imported
    try:
        import datasets
    except ModuleNotFoundError as error:
        if error.name != "datasets":
            raise
        raise ModuleNotFoundError(MISSING, name="datasets") from None
    # where another library imported it before, it has read its settings already
    sys.modules["huggingface_hub.constants"].HF_HUB_DISABLE_TELEMETRY = True  # type: ignore[attr-defined]
    try:
        _reach()  # else the library tries again for half a minute before it says so
        rows = datasets.load_dataset(name, config, split=split, streaming=True, revision=revision)
        return [dict(row) for row in itertools.islice(rows, limit)]
    except Exception as error:
        if _offline(error):
            raise ConnectionError(
                f"The Hub cannot be reached, so {name!r} cannot be read. Go online, or use a file "
                "or one of the data sets that are on this machine (llmtrain101.sources)."
            ) from error
        if isinstance(error, ValueError | LookupError | FileNotFoundError):
            raise LookupError(
                f"The Hub has no {name!r} with {split=} and {config=}: {error}"
            ) from error
        raise


def _reach() -> None:
    """Ask the Hub, or the mirror that HF_ENDPOINT names, for no more than a sign of life."""
    httpx.head(os.environ.get("HF_ENDPOINT", "https://huggingface.co"), timeout=10)


def _offline(error: BaseException | None) -> bool:
    """Whether somewhere down the chain of causes there was no network."""
    while error is not None:
        said = f"{type(error).__name__} {error}"
        if isinstance(error, ConnectionError | TimeoutError) or any(
            sign in said
            for sign in ("ConnectError", "OfflineMode", "ConnectTimeout", "getaddrinfo")
        ):
            return True
        error = error.__cause__ or error.__context__
    return False
