"""Docstrings of packages made for the test: what is found, what is skipped, what the cache does."""

import gzip
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from llmtrain101 import sources
from llmtrain101.sources import _docstrings


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("LLMTRAIN101_CACHE", str(folder))
    return folder


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A function that writes a package of the given files and puts it on the path."""
    monkeypatch.syspath_prepend(tmp_path / "site")

    def write(name: str, files: dict[str, str | bytes]) -> Path:
        for path, content in files.items():
            file = tmp_path / "site" / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path / "site" / name

    return write


NESTED = '''
"""The module."""
class Outer:
    """The outer class."""
    class Inner:
        def method(self):
            """A method
                of an inner class."""
    async def later(self):
        """An async method."""
        def helper():
            """A helper."""
    def silent(self):
        return "not a docstring"
    def blank(self):
        """   """
if True:
    try:
        def guarded():
            """In a try in an if."""
    except* ValueError:
        def handled(): "In a handler."
    finally:
        with open("x"):
            def closed(): "In a with."
else:
    match 1:
        case 1:
            def matched(): "In a case."
'''


def test_every_kind_of_definition_is_found_in_the_order_of_the_file(package):
    package("fake_nested", {"__init__.py": NESTED})
    table = sources.docstrings("fake_nested")
    assert list(zip(table.kind, table.name, strict=True)) == [
        ("module", ""),
        ("class", "Outer"),
        ("function", "Outer.Inner.method"),
        ("function", "Outer.later"),
        ("function", "Outer.later.<locals>.helper"),
        ("function", "guarded"),
        ("function", "handled"),
        ("function", "closed"),
        ("function", "matched"),
    ]
    assert table.text[2] == "A method\nof an inner class."
    assert set(table.package) == set(table.module) == {"fake_nested"}
    assert set(table.path) == {"fake_nested/__init__.py"}


def test_nothing_is_imported_or_run(package):
    package("fake_dangerous", {"__init__.py": '"""Read me."""\nraise SystemExit("imported")'})
    assert sources.docstrings("fake_dangerous").text.tolist() == ["Read me."]
    assert "fake_dangerous" not in sys.modules


def test_files_that_cannot_be_read_are_named_and_the_others_read(package, monkeypatch):
    monkeypatch.setattr(_docstrings, "LARGEST", 5_000)
    package(
        "fake_broken",
        {
            "__init__.py": '"""Whole."""',
            "syntax.py": "def f(:",
            "latin.py": '"""Caf\xe9."""'.encode("latin-1"),
            "declared.py": '# -*- coding: latin-1 -*-\n"""Caf\xe9."""'.encode("latin-1"),
            "null.py": b'"""Null."""\0',
            "huge.py": '"""Huge."""' + "\n" * 5_000,
            "deep.py": '"""Deep."""\nx = ' + "(" * 1_000 + ")" * 1_000,
            "surrogate.py": r'"""Half a pair: \ud800."""',
            "escape.py": r'"""Not an escape: \d."""',
        },
    )
    table = sources.docstrings("fake_broken")
    assert table.text.tolist() == [
        "Whole.", "Café.", r"Not an escape: \d.", "Half a pair: ?.",
    ]  # fmt: skip
    skipped = table.attrs["skipped"]
    assert set(skipped) == {
        f"fake_broken/{name}.py" for name in ("syntax", "latin", "null", "huge", "deep")
    }
    assert skipped["fake_broken/syntax.py"].startswith("SyntaxError")
    assert "5,000 bytes" in skipped["fake_broken/huge.py"]
    again = sources.docstrings("fake_broken")  # the cache remembers what was skipped
    assert again.attrs["skipped"] == skipped


def test_a_long_chain_of_elif_is_walked(package):
    chain = "if x == 0: pass\n" + "elif x == 1: pass\n" * 900
    package("fake_chain", {"__init__.py": chain + "else:\n    def last(): 'At the end.'"})
    table = sources.docstrings("fake_chain")
    # deep recursion in the parser is its own business; in the walk it would be ours
    assert table.text.tolist() == ["At the end."] or "Recursion" in str(table.attrs["skipped"])


def test_tests_and_what_cannot_be_imported_are_left_out(package):
    doc = '"""Text."""'
    package(
        "fake_tests",
        {
            "__init__.py": doc,
            "sub/kept.py": doc,
            "tests/helper.py": doc,
            "test_unit.py": doc,
            "conftest.py": doc,
            "data-files/script.py": doc,
            "two words.py": doc,
            "notes.txt": doc,
        },
    )
    assert sources.docstrings("fake_tests").path.tolist() == [
        "fake_tests/__init__.py", "fake_tests/sub/kept.py",
    ]  # fmt: skip


def test_several_packages_come_in_the_order_asked_for_and_once(package):
    for name in ("fake_a", "fake_b"):
        package(name, {"__init__.py": f'"""{name}"""', "z.py": '"""z"""', "a.py": '"""a"""'})
    table = sources.docstrings(["fake_b", "fake_a", "fake_b"])
    assert table.module.tolist() == [
        "fake_b", "fake_b.a", "fake_b.z", "fake_a", "fake_a.a", "fake_a.z",
    ]  # fmt: skip


def test_a_single_module_is_a_package_too(package, tmp_path):
    package(".", {"fake_single.py": '"""Alone."""'})
    table = sources.docstrings("fake_single")
    assert (table.module[0], table.path[0]) == ("fake_single", "fake_single.py")


def test_the_second_read_is_from_the_cache_and_equal(package, monkeypatch):
    package("fake_cached", {"__init__.py": NESTED})
    first = sources.docstrings("fake_cached")
    monkeypatch.setattr(_docstrings, "_read_all", None)  # a second reading would fail
    second = sources.docstrings("fake_cached")
    assert first.equals(second)


def test_a_changed_package_is_read_anew(package):
    package("fake_changed", {"__init__.py": '"""Before."""'})
    assert sources.docstrings("fake_changed").text.tolist() == ["Before."]
    package("fake_changed", {"__init__.py": '"""After it."""'})
    assert sources.docstrings("fake_changed").text.tolist() == ["After it."]


@pytest.mark.parametrize("damage", ["cut", "flipped", "not gzip", "empty", "not json", "short"])
def test_a_damaged_cache_is_made_again(package, cache, damage):
    package("fake_damaged", {f"m{k}.py": f'"""Text {k}."""' for k in range(50)})
    whole = sources.docstrings("fake_damaged")
    (file,) = (cache / "docstrings").iterdir()
    content = file.read_bytes()
    middle = len(content) // 2
    file.write_bytes(
        {
            "cut": content[:middle],
            "flipped": content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :],
            "not gzip": b"something else",
            "empty": b"",
            "not json": gzip.compress(b"{"),
            "short": gzip.compress(gzip.decompress(content)[:-100].rpartition(b"\n")[0]),
        }[damage]
    )
    assert sources.docstrings("fake_damaged").equals(whole)
    assert gzip.decompress(file.read_bytes()) == gzip.decompress(content)


def test_a_cache_that_cannot_be_written_costs_a_warning_only(package, tmp_path, monkeypatch):
    package("fake_readonly", {"__init__.py": '"""Read."""'})
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("LLMTRAIN101_CACHE", str(tmp_path / "file"))
    with pytest.warns(RuntimeWarning, match="LLMTRAIN101_CACHE can name another folder"):
        table = sources.docstrings("fake_readonly")
    assert table.text.tolist() == ["Read."]


def test_all_missing_packages_are_named():
    with pytest.raises(ModuleNotFoundError, match="nonexistent_a, nonexistent_b, which are not"):
        sources.docstrings(["json", "nonexistent_a", "nonexistent_b"])
    with pytest.raises(ModuleNotFoundError, match="pip install nonexistent_a"):
        sources.docstrings("nonexistent_a")


@pytest.mark.parametrize("name", ["sys", ""])
def test_names_without_files_are_missing(name):
    with pytest.raises(ModuleNotFoundError, match="not installed"):
        sources.docstrings([name])


def test_wrong_names_are_explained():
    with pytest.raises(ValueError, match="without dots: got 'numpy.linalg'. Read 'numpy'"):
        sources.docstrings("numpy.linalg")
    with pytest.raises(ValueError, match="got no package"):
        sources.docstrings([])


def test_the_standard_library_leaves_out_site_packages():
    paths = [file.path for file in _docstrings._files("python")]
    assert "json/decoder.py" in paths and "argparse.py" in paths
    assert not any("site-packages" in path or "/test" in path for path in paths)
    assert paths == [file.path for file in _docstrings._files("python")]


def test_a_second_read_shows_a_full_bar_so_that_a_notebook_prints_the_same(package, capsys):
    package("fake_bar", {"__init__.py": '"""Text."""', "bad.py": "("})
    sources.docstrings("fake_bar")
    shown = capsys.readouterr()
    assert "docstrings" in shown.out and "2/2" in shown.out and "1 skipped" in shown.out
    sources.docstrings("fake_bar")
    again = capsys.readouterr().out
    assert "docstrings" in again and "100%" in again and "2/2" in again
    sources.docstrings("fake_bar", show=False)
    assert capsys.readouterr().out == ""


def test_the_collector_is_as_it_was(package):
    import gc

    package("fake_gc", {"__init__.py": "("})
    assert gc.isenabled()
    sources.docstrings("fake_gc")
    assert gc.isenabled()
    with warnings.catch_warnings(record=True) as seen:
        package("fake_gc2", {"__init__.py": r'"""\d"""'})
        sources.docstrings("fake_gc2")
    assert not seen


def test_importing_sources_imports_nothing_heavy():
    heavy = ["torch", "pandas", "numpy", "sklearn", "scipy", "transformers", "joblib"]
    code = (
        f"import sys, llmtrain101.sources\nprint([name for name in {heavy} if name in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert shown.strip() == "[]"


def test_reading_does_not_import_the_package_read():
    code = (
        "import sys; from llmtrain101 import sources\n"
        "table = sources.docstrings('matplotlib', show=False)\n"
        "print(len(table) > 1000, 'matplotlib' in sys.modules)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert shown.strip() == "True False"
