"""JupyterLab as a learner starts it, and a browser in front of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium"),
]
PATIENCE = 60_000  # milliseconds
_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
_PRIVATE = [
    "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
]  # fmt: skip


class Lab:
    """A running JupyterLab, and a browser."""

    def __init__(
        self, folder: Path, address: str, token: str, process: int, browser: playwright.Browser
    ) -> None:
        self.folder, self.address, self.token = folder, address, token
        self.process, self.browser = process, browser

    def open(self, notebook: str, height: int = 1400, **context: Any) -> playwright.Page:
        """A notebook in a browser of its own, when its kernel is there."""
        size = {"width": 1100, "height": height}
        page = self.browser.new_context(viewport=size, **context).new_page()
        page.goto(f"{self.address}{notebook}{self.token}&reset")  # no tabs of earlier pages
        # "idle" alone is already true before there is a kernel
        name = page.locator(".jp-KernelName:visible")
        playwright.expect(name).to_contain_text("Python 3", timeout=PATIENCE)
        idle = page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]:visible')
        playwright.expect(idle).to_be_visible(timeout=PATIENCE)
        return page


@contextmanager
def lab(root: Path, **environment: str) -> Iterator[Lab]:
    """A JupyterLab as `llmtrain101 lab` starts it, with the learner's folder `root/mine`."""
    mine = root / "mine"
    private = {name: str(root / "jupyter" / name.lower()) for name in _PRIVATE}
    server = subprocess.Popen(
        [sys.executable, "-m", "llmtrain101", "lab", "--no-browser", "--folder", mine],
        env={**os.environ, **private, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        said = ""
        while not (found := re.search(r"(http://\S+/lab/tree/)\S*(\?token=\S+)", said)):
            line = server.stdout.readline()
            assert line, f"llmtrain101 lab ended: {said}"
            said += line
        with playwright.sync_playwright() as player:
            browser = player.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
            yield Lab(mine, found.group(1), found.group(2), server.pid, browser)
            browser.close()
    finally:
        server.terminate()
        server.communicate(timeout=30)
