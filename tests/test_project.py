"""What holds the project together: imports one way, lists that agree, a wheel that is whole."""

from __future__ import annotations

import ast
import fnmatch
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "llmtrain101"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

# From what needs nothing to what needs all; a module may import from its own row and from above.
LAYERS = [
    ["seeds", "progress", "folders"],
    ["sources"],
    ["formats"],
    ["collect", "clean"],
    ["tokens", "texts"],
    ["features"],
    ["labels"],
    ["kernels"],
    ["model"],
    ["optim", "train", "masked", "ngram"],
    ["decode", "generate"],
    ["evaluate"],
    ["weights", "checkpoint", "states"],
    ["experiment", "runs", "sums", "table", "tasks"],
    ["plots"],
    ["course"],
    ["lab"],
    ["cli"],
    ["__main__"],
]
LAYER = {name: row for row, names in enumerate(LAYERS) for name in names}
# Drawn only when asked for, so imported within the function that draws.
UP = {("experiment", "plots"), ("table", "plots")}
DRAWING = {"matplotlib", "ipywidgets", "IPython", "typer"}
MAY_DRAW = {"plots", "course", "cli"}


def modules() -> list[tuple[str, Path]]:
    """Each file of the package with the module or folder of LAYERS that it belongs to."""
    files = sorted(PACKAGE.rglob("*.py"))
    return [(f.relative_to(PACKAGE).parts[0].removesuffix(".py"), f) for f in files]


def imports(path: Path, anywhere: bool = True) -> Iterator[str]:
    """The dotted names that a file imports; `anywhere`: also within functions."""
    within = ["llmtrain101", *path.relative_to(PACKAGE).parts[:-1]]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree) if anywhere else tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = within[: len(within) - node.level + 1] if node.level else []
            source = ".".join([*base, *filter(None, [node.module])])
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def test_imports_go_one_way() -> None:
    there = {module for module, _ in modules()} - {"__init__"}
    assert set(LAYER) == there, "each module has one place in LAYERS"
    wrong = []
    for module, path in modules():
        if module == "__init__":
            continue
        for name in imports(path):
            part = name.split(".")
            if part[0] == "llmtrain101" and len(part) > 1 and part[1] in LAYER:
                drawn = (module, part[1]) in UP and name not in imports(path, anywhere=False)
                if LAYER[part[1]] > LAYER[module] and not drawn:
                    wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_only_what_draws_imports_what_draws() -> None:
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for module, path in modules()
        for name in imports(path, anywhere=False)
        if name.split(".")[0] in DRAWING and module not in MAY_DRAW
    }
    assert not wrong


def test_every_import_is_a_dependency_by_name() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    needs = PROJECT["project"]["dependencies"] + extras["hub"]  # imported only when it is asked for
    named = {canonicalize_name(Requirement(need).name) for need in needs}
    provided = packages_distributions()
    missing = set()
    for _, path in modules():
        for name in {name.split(".")[0] for name in imports(path)}:
            if name not in sys.stdlib_module_names and name != "llmtrain101":
                sources = {canonicalize_name(each) for each in provided.get(name, [name])}
                if not sources & named:
                    missing.add(f"{path.relative_to(ROOT)} imports {name}")
    assert not missing, "\n".join(sorted(missing))


@pytest.mark.parametrize("module", ["llmtrain101", "llmtrain101.cli", "llmtrain101.course"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    heavy = {"torch", "transformers", "pandas", "sklearn", "scipy", "matplotlib"}
    heavy |= {"numpy"} if module != "llmtrain101.course" else set()
    code = f"import sys, {module}; print(*sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def kind_and_name(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, as ruff sorts them."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def test_public_names_are_sorted_importable_and_documented() -> None:
    declared = 0
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        targets = [t for node in tree.body if isinstance(node, ast.Assign) for t in node.targets]
        if not any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            continue
        declared += 1
        dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        module = importlib.import_module(dotted.removesuffix(".__init__"))
        assert module.__all__ == sorted(set(module.__all__), key=kind_and_name), dotted
        assert len(module.__all__) <= 25, dotted
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isroutine(value) or inspect.isclass(value) or inspect.ismodule(value):
                assert inspect.getdoc(value), f"{dotted}.{name} has no docstring"
    assert declared


# --- lists that must agree ----------------------------------------------------------------------


def test_constraints_pin_every_dependency_within_its_range() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    for pin in pins:
        (specifier,) = pin.specifier
        assert specifier.operator == "==" and "*" not in specifier.version, pin
        assert "+" not in specifier.version, f"{pin} is a build that only one index has"
    names = [canonicalize_name(pin.name) for pin in pins]
    extras = PROJECT["project"]["optional-dependencies"]
    for text in [*PROJECT["project"]["dependencies"], *sum(extras.values(), [])]:
        need = Requirement(text)
        found = [pin for pin in pins if canonicalize_name(pin.name) == canonicalize_name(need.name)]
        assert len(found) == 1, f"constraints.txt must pin {need.name} once"
        (specifier,) = found[0].specifier
        assert specifier.version in need.specifier, f"{found[0]} is not {need}"
    repeated = {name for name in names if names.count(name) > 1}
    assert repeated <= {"soupsieve"}  # its newest wants Python 3.11.5


def test_environment_yml_equals_pyproject() -> None:
    import yaml

    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, section = environment["dependencies"]
    assert python == "python >=3.11,<3.15" and pip == "pip"
    assert PROJECT["project"]["requires-python"] == ">=3.11"
    lines = section["pip"]
    assert [line for line in lines if not line.startswith("-")] == PROJECT["project"][
        "dependencies"
    ]
    assert "--constraint constraints.txt" in lines and "--editable ." in lines


def test_pre_commit_runs_the_pinned_versions() -> None:
    import yaml

    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    for repository in config["repos"]:
        tool = repository["repo"].rsplit("/", 1)[1].removesuffix("-pre-commit")
        if tool in ("ruff", "codespell"):
            assert f"{tool}=={repository['rev'].removeprefix('v')}" in pins


def tracked() -> list[str]:
    """The files of the project: what git tracks, or without git all that it would not ignore."""
    if (ROOT / ".git").exists():
        command = ["git", "-C", str(ROOT), "ls-files", "-z"]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
        return [name for name in done.stdout.split("\0") if name and (ROOT / name).exists()]
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    ignored = [line.rstrip("/") for line in lines]
    return [
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*")
        if path.is_file()
        and not any(
            fnmatch.fnmatch(part, pattern)
            for part in path.relative_to(ROOT).parts
            for pattern in ignored
        )
    ]


def test_the_tree_in_the_readme_is_what_is_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (tree,) = re.findall(r"## What is here\n\n```\n(.*?)```", readme, re.DOTALL)
    named = [line.split()[0].rstrip("/") for line in tree.splitlines()]
    there = {name.split("/")[0] for name in tracked()}
    assert len(named) == len(set(named))
    assert set(named) | {"README.md"} == {name for name in there if not name.startswith(".")}


def test_no_ones_home_stands_in_a_file() -> None:
    home = re.compile(
        r"/(home|Users)/(?!me\b)[A-Za-z]|[A-Z]:\\+Users\\+[A-Za-z]|/root[/]"
    )  # [/]: not itself
    found = []
    for name in tracked():
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{name}: {match.group()}" for match in home.finditer(text)]
    assert not found, "\n".join(found)


# --- what is shipped ----------------------------------------------------------------------------


def test_the_wheel_is_the_whole_course(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for folder in ("lessons", "notebooks"):
        for path in (ROOT / folder).glob("[0-9]*"):
            assert f"llmtrain101/_course/{folder}/{path.name}" in names
    for path in PACKAGE.rglob("*.py"):
        assert path.relative_to(ROOT).as_posix() in names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"llmtrain101"}
    assert sum(name.endswith(("licenses/LICENSE", "licenses/LICENSE-TEXT")) for name in names) == 2


def test_the_readmes_code_runs_on_a_file_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "a caf\u00c3\u00a9 that I would go to again and again, whatever the weather"
    (tmp_path / "mine.csv").write_text(f'text\n"{text}"\n"{text}"\n', encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    assert "drop near-duplicates" in capsys.readouterr().out
    from llmtrain101 import formats

    (row,) = formats.read("mine.parquet")
    assert row["text"].startswith("a café")
