"""JupyterLab on the learner's copy of the course: started, announced when ready, ended cleanly."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmtrain101.course.kernel import kernel_environment

_PORTS = range(8888, 8988)
# else JupyterLab asks at a first start, in front of the lesson, whether it may fetch news;
# `--LabApp.news_url=None` alone does not keep it from asking
_SETTINGS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}
_PATIENCE = 120.0  # seconds; a first start on a slow disk takes half a minute


class LabError(Exception):
    """JupyterLab did not do what it should; the message has the end of its log."""


def run_lab(folder: Path, *, browser: bool = True, port: int | None = None) -> int:
    """Serve a folder in JupyterLab until Ctrl-C.

    Parameters
    ----------
    folder : Path
        The learner's copy of the course; lesson 00 is opened.
    browser : bool
        Whether to open the address in a browser.
    port : int, optional
        By default the first free one from 8888.

    Returns
    -------
    int
        Exit status.

    Raises
    ------
    ValueError
        If the port is in use.
    LabError
        If JupyterLab does not start, or ends by itself; the message has the end of its log.
    """
    if port is None:
        port = next((number for number in _PORTS if is_free(number)), None)
        if port is None:
            raise ValueError(f"No port from {_PORTS[0]} to {_PORTS[-1]} is free: give a --port.")
    elif not is_free(port):
        raise ValueError(
            f"Port {port} is in use, perhaps by a JupyterLab that is still open. Name another one, "
            "or leave --port out to take a free one."
        )
    token = secrets.token_hex(16)
    first = min((path.name for path in folder.glob("00-*.ipynb")), default="")
    address = f"http://127.0.0.1:{port}/lab/tree/{first}?token={token}"
    log = folder / ".llmtrain101" / "jupyterlab.log"
    with _server(folder, port, token, log) as server:
        _wait_until_ready(server, port, log)
        print(f"\nThe course is open at\n\n    {address}\n\nCtrl-C ends it.", flush=True)
        if browser:
            webbrowser.open(address)
        try:
            server.wait()
        except KeyboardInterrupt:
            print(f"\nJupyterLab ends; your work is in {folder}.")
            return 0
    raise LabError(f"JupyterLab has ended by itself. {_end_of(log)}")


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of this machine.

    Examples
    --------
    >>> with socket.socket() as taken:
    ...     taken.bind(("127.0.0.1", 0))
    ...     taken.listen()
    ...     is_free(taken.getsockname()[1])
    False
    """
    with socket.socket() as trial:
        if sys.platform != "win32":  # there it would share a port that is in use
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True


@contextmanager
def _server(folder: Path, port: int, token: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    settings = folder.resolve() / ".llmtrain101" / "settings"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "overrides.json").write_text(json.dumps(_SETTINGS), encoding="utf-8")
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser"),
        f"--LabApp.app_settings_dir={settings}",
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--ServerApp.root_dir={folder.resolve()}", "--LabApp.news_url=None"),
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # as in a container
    # the token in the environment: other users of the machine can read a command line
    environment = {**os.environ, **kernel_environment(folder), "JUPYTER_TOKEN": token}
    log.parent.mkdir(parents=True, exist_ok=True)
    # a group of its own: Ctrl-C comes to us alone, else Jupyter would ask whether it is meant
    group = (
        {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
        if sys.platform == "win32"
        else {"process_group": 0}
    )
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, **group
        )
    before = {
        number: signal.signal(number, _interrupt)
        for number in _ENDING
        if signal.getsignal(number) is not signal.SIG_IGN  # as under nohup
    }
    try:
        yield server
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        server.terminate()  # Jupyter then ends its kernels
        try:
            server.wait(timeout=15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


# closing the terminal ends JupyterLab too
_ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _wait_until_ready(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    # a proxy, where one is set, does not know this machine
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if server.poll() is not None:
            raise LabError(f"JupyterLab did not start. {_end_of(log)}")
        try:
            with direct.open(f"http://127.0.0.1:{port}/api", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise LabError(f"JupyterLab did not answer within {_PATIENCE:.0f} s. {_end_of(log)}")


def _end_of(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"The end of {log}:\n" + "\n".join(lines[-5:])
