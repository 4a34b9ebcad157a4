"""No test reaches beyond this machine; subprocesses can be cut off the same way."""

from __future__ import annotations

import importlib.util
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

OFFLINE = Path(__file__).with_name("offline")  # its sitecustomize.py does the cutting
_CUT = (
    (socket, "getaddrinfo"),
    (socket, "gethostbyname"),
    (socket.socket, "connect"),
    (socket.socket, "connect_ex"),
)


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """In the tests' own process no name resolves, and only loopback can be connected to."""
    before = [(owner, name, getattr(owner, name)) for owner, name in _CUT]
    spec = importlib.util.spec_from_file_location("offline", OFFLINE / "sitecustomize.py")
    assert spec is not None and spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    yield
    for owner, name, function in before:
        setattr(owner, name, function)


@pytest.fixture
def offline_env() -> dict[str, str]:
    """An environment in which Python, and all that it starts, has no network but loopback."""
    path = os.pathsep.join(filter(None, (str(OFFLINE), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}
