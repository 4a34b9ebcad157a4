"""A file is replaced whole or not at all."""

import sys
from pathlib import Path

import pytest

from llmtrain101.folders import cache_folder, replacing


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path):
    target = tmp_path / "results.json"
    target.write_text("old", encoding="utf-8")
    with pytest.raises(OSError, match="disk full"), replacing(target) as part:
        part.write_text("ne", encoding="utf-8")
        raise OSError("disk full")
    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_folders_are_made_on_the_way(tmp_path):
    target = tmp_path / "a" / "b.txt"
    with replacing(target) as part:
        part.write_bytes(b"new")
    assert target.read_bytes() == b"new"


def test_the_cache_can_be_put_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setenv("LLMTRAIN101_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the rule of Linux desktops")
def test_the_default_cache_follows_the_desktop_rule(monkeypatch, tmp_path):
    monkeypatch.delenv("LLMTRAIN101_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == Path(tmp_path) / "llmtrain101"
