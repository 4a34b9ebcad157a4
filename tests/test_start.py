"""start.py: what is done again, which PyTorch is taken, one sentence for each fault."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "start.py"

# As pip 23 printed them on Linux, macOS and Windows.
UNREACHABLE = """
WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after \
connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object>: \
Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')'
ERROR: Could not find a version that satisfies the requirement torch==2.13.0 (from versions: none)
ERROR: No matching distribution found for torch==2.13.0
"""
FAULTS = {
    UNREACHABLE: "could not be reached: check the network",
    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device": (
        "disk is full"
    ),
    "OSError: [WinError 112] There is not enough space on the disk": "disk is full",
    "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/x'": (
        "cannot be written"
    ),
    "[Errno 30] Read-only file system: '/media/cd/.venv'": "cannot be written",
    "ERROR: No matching distribution found for torch==2.13.0": "has no build for this machine",
    "ERROR: No matching distribution found for scipy==1.17.1": "no build of scipy==1.17.1",
    "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))": "PIP_CERT",
    "ensurepip is not available.  On Debian/Ubuntu systems": "apt install python3-venv",
    "HINT: This error might have occurred since this system does not have Windows Long Path "
    "support enabled.": "shorter|short one",
    'OSError: [WinError 126] Error loading "c10.dll" or one of its dependencies.': "vc_redist",
    "It was ended from outside by signal 9.": "goes on from here",
}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[ModuleType]:
    """start.py of a course in `tmp_path`, and a list `start.commands` instead of what it runs."""
    here = tmp_path / "course"
    here.mkdir()
    shutil.copy(SOURCE, here)
    (here / "constraints.txt").write_text("torch==2.13.0\nnumpy==2.4.6\n", encoding="utf-8")
    (here / "pyproject.toml").write_text('[project]\nname = "course"\n', encoding="utf-8")
    spec = importlib.util.spec_from_file_location("start_of_a_course", here / "start.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module


@pytest.fixture
def commands(start: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Runs nothing but a small stand-in for pip and venv; what was asked for, in order."""
    asked: list[str] = []
    site = start.VENV / "lib" / "python3.11" / "site-packages"

    def put(package: str) -> None:
        info = site / f"{package}.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "INSTALLER").write_text("pip\n", encoding="utf-8")

    def logged(command: list[str], doing: str, lock: int) -> None:
        asked.append(" ".join(command))
        if "venv" in command:
            (start.VENV / "pyvenv.cfg").write_text("made\n", encoding="utf-8")
            put("pip-26.0")
        elif any(word.startswith("torch==") for word in command):
            put("torch-2.13.0+cpu")
        elif "-e" in command:
            put("llmtrain101-0.1.0")

    there = [3, 11]
    monkeypatch.setattr(start, "logged", logged)
    monkeypatch.setattr(
        start, "python_there", lambda: there if (start.VENV / "pyvenv.cfg").exists() else None
    )
    monkeypatch.setattr(start, "free_gb", lambda: 100.0)
    monkeypatch.setattr(
        start, "torch_to_install", lambda version: ("cpu", [f"torch=={version}+cpu", "--no-deps"])
    )
    monkeypatch.setattr(start, "test_python", there, raising=False)
    return asked


# --- which Python -----------------------------------------------------------------------------


@pytest.mark.parametrize("version", [(3, 8, 18), (3, 10, 13), (3, 15, 0)])
def test_a_python_that_does_not_fit_is_one_sentence(version: tuple[int, ...]) -> None:
    code = (
        "import sys; sys.version_info = ({},{},{}, 'final', 0); sys.argv = ['start.py'];"
        "exec(compile(open({!r}, encoding='utf-8').read(), 'start.py', 'exec'))"
    ).format(*version, str(SOURCE))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"this is {version[0]}.{version[1]}:" in done.stderr


def test_an_old_python_can_parse_the_file() -> None:
    source = SOURCE.read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 8))
    with pytest.raises(SyntaxError):  # that this parser would have seen newer syntax
        ast.parse(source + "\nmatch 1:\n    case 1: pass\n", feature_version=(3, 8))


# --- what is done again -------------------------------------------------------------------------


def test_the_second_start_does_nothing(start: ModuleType, commands: list[str]) -> None:
    start.install(set())
    venv, torch, rest, trial = commands
    assert venv.endswith(f"-m venv {start.VENV}")
    assert "torch==2.13.0+cpu --no-deps" in torch
    assert rest.endswith("-c constraints.txt -e .")
    assert "import jupyterlab, torch" in trial
    start.install(set())
    assert len(commands) == 4


@pytest.mark.parametrize("changed", ["constraints.txt", "pyproject.toml"])
def test_changed_needs_are_installed_into_the_same_venv(
    start: ModuleType, commands: list[str], changed: str
) -> None:
    start.install({"test"})
    with (start.HERE / changed).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    start.install(set())
    rest, _ = commands[4:]
    assert rest.endswith("-e .[test]")  # what was there is kept up to date, too
    start.install({"test"})
    assert len(commands) == 6


def test_tests_add_only_what_they_need(start: ModuleType, commands: list[str]) -> None:
    start.install(set())
    start.install({"test"})
    assert [command.split()[-1] for command in commands[4:5]] == [".[test]"]


def test_an_interrupted_install_goes_on(
    start: ModuleType, commands: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = start.logged

    def killed(command: list[str], doing: str, lock: int) -> None:
        if "-e" in command:
            half = start.VENV / "lib" / "python3.11" / "site-packages" / "scipy-1.17.1.dist-info"
            half.mkdir()
            raise KeyboardInterrupt
        logged(command, doing, lock)

    monkeypatch.setattr(start, "logged", killed)
    assert start.main(["--no-browser"]) == 130
    assert len(commands) == 2 and not start.STATE.exists()
    monkeypatch.setattr(start, "logged", logged)
    start.install(set())
    assert [command.split()[-1] for command in commands[2:3]] == ["."]  # no venv, no torch again
    assert not list(start.VENV.rglob("scipy-*")), "pip would take the half of it for the whole"
    assert start.installed(set())


@pytest.mark.parametrize("damage", ["python gone", "no pip", "moved", "another python"])
def test_a_broken_venv_is_made_anew(
    start: ModuleType, commands: list[str], damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    start.install(set())
    old = start.VENV / "lib" / "old.txt"
    old.write_text("old", encoding="utf-8")
    state = json.loads(start.STATE.read_text(encoding="utf-8"))
    start.STATE.write_text(json.dumps(state | {"fingerprint": "other"}), encoding="utf-8")
    if damage == "python gone":
        answers = iter([None])
        there = start.python_there
        monkeypatch.setattr(start, "python_there", lambda: next(answers, there()))
    elif damage == "no pip":
        shutil.rmtree(start.VENV / "lib" / "python3.11" / "site-packages" / "pip-26.0.dist-info")
    elif damage == "moved":
        state |= {"folder": "elsewhere", "fingerprint": "other"}
        start.STATE.write_text(json.dumps(state), encoding="utf-8")
    else:
        start.test_python[1] = 12
    start.install(set())
    assert "-m venv" in commands[4] and not old.exists()
    assert start.installed(set())


def test_two_at_once_are_told_apart(start: ModuleType, commands: list[str]) -> None:
    with start.alone(), pytest.raises(start.Stop, match="Another start.py is installing"):
        with start.alone():
            pass
    with start.alone():  # free again
        pass


# --- which PyTorch ------------------------------------------------------------------------------


def listing(versions: str, code: int = 0, stderr: str = "") -> subprocess.CompletedProcess[str]:
    stdout = f"torch (2.15.0)\nAvailable versions: {versions}\n" if versions else ""
    return subprocess.CompletedProcess([], code, stdout, stderr)


@pytest.mark.parametrize(
    "usual, pytorch, build, asked",
    [
        ("2.15.0, 2.13.0", "2.15.0+cpu, 2.13.0+cpu, 2.13.0", "cpu", "--extra-index-url=https"),
        ("2.15.0, 2.13.0+cpu, 2.13.0", "", "cpu", "torch==2.13.0+cpu --no-deps"),
        ("2.15.0, 2.13.0", "2.15.0, 2.13.0", "cuda", "-c constraints.txt torch==2.13.0"),
        ("2.15.0, 2.13.0", "2.14.0+cpu, 2.13.0", "cuda", "-c constraints.txt torch==2.13.0"),
    ],
)
def test_linux_without_a_gpu_takes_the_cpu_build_where_there_is_one(
    start: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    usual: str,
    pytorch: str,
    build: str,
    asked: str,
) -> None:
    monkeypatch.setattr(start.sys, "platform", "linux")
    monkeypatch.setattr(start, "has_nvidia", lambda: False)
    answers = iter([listing(usual), listing(pytorch)])
    monkeypatch.setattr(start.subprocess, "run", lambda *_, **__: next(answers))
    found, arguments = start.torch_to_install("2.13.0")
    assert found == build and asked in " ".join(arguments)
    assert ("NVIDIA" in capsys.readouterr().out) == (build == "cuda")


def test_no_network_is_said_before_any_talk_of_a_large_build(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(start.sys, "platform", "linux")
    monkeypatch.setattr(start, "has_nvidia", lambda: False)
    monkeypatch.setattr(
        start.subprocess, "run", lambda *_, **__: listing("", code=1, stderr=UNREACHABLE)
    )
    with pytest.raises(start.Stop, match="check the network"):
        start.torch_to_install("2.13.0")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("platform, gpu, build", [("linux", True, "cuda"), ("win32", False, None)])
def test_a_gpu_and_other_systems_take_the_usual_build(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, platform: str, gpu: bool, build: str | None
) -> None:
    monkeypatch.setattr(start.sys, "platform", platform)
    monkeypatch.setattr(start, "has_nvidia", lambda: gpu)
    found, arguments = start.torch_to_install("2.13.0")
    assert found == (build or "other") and not any("+cpu" in word for word in arguments)


@pytest.mark.parametrize(
    "printed, gpu",
    [
        ("GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-1)\n", True),
        ("No devices were found\n", False),
        ("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n", False),
    ],
)
def test_nvidia_smi_alone_is_no_gpu(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, printed: str, gpu: bool
) -> None:
    if Path("/proc/driver/nvidia/version").exists():
        pytest.skip("this machine has one")
    monkeypatch.setattr(start.shutil, "which", lambda name: name)
    answer = subprocess.CompletedProcess([], 0, printed, "")
    monkeypatch.setattr(start.subprocess, "run", lambda *_, **__: answer)
    assert start.has_nvidia() is gpu


# --- what went wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize("printed", FAULTS)
def test_what_pip_printed_becomes_one_sentence(start: ModuleType, printed: str) -> None:
    sentence = start.explain(printed)
    assert sentence is not None and "\n" not in sentence
    assert any(part in sentence for part in FAULTS[printed].split("|")), sentence


def test_an_unknown_fault_shows_its_last_lines(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "free_gb", lambda: 100.0)
    message = str(start.failed("Installing the course", "first\n" * 20 + "the real reason\n"))
    assert "the real reason" in message and message.count("first") == 7
    assert str(start.LOG) in message


def test_too_little_room_is_said_beforehand(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "free_gb", lambda: 0.4)
    start.room_for(0.3)
    with pytest.raises(start.Stop, match=r"0\.4 GB are free .* 2\.0 GB are needed"):
        start.room_for(2.0)


def test_a_failing_command_leaves_its_output_in_the_log(start: ModuleType) -> None:
    start.VENV.mkdir()
    with start.alone() as lock, pytest.raises(start.Stop, match="disk is full"):
        code = "print('so far so good'); raise SystemExit('No space left on device')"
        start.logged([sys.executable, "-c", code], "Trying", lock)
    assert "so far so good" in start.LOG.read_text(encoding="utf-8")
    assert not (start.VENV / "tmp").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX permissions")
def test_a_folder_that_cannot_be_written_is_one_sentence(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(start.VENV))

    monkeypatch.setattr(start.Path, "mkdir", refused)  # the superuser is refused nothing
    assert start.main([]) == 1
    said = capsys.readouterr().err.strip()
    assert said.startswith(f"{start.VENV} cannot be written") and "\n" not in said


def test_a_port_in_use_is_said_before_anything_is_installed(
    start: ModuleType, commands: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        assert start.main(["--port", str(number)]) == 1
    assert f"Port {number} is in use: choose another" in capsys.readouterr().err
    assert commands == []
    start.want_port(number)  # free again


# --- the checks ---------------------------------------------------------------------------------


def test_quick_leaves_out_notebooks_and_the_browser(start: ModuleType) -> None:
    full, quick = start.checks(quick=False), start.checks(quick=True)
    gone = [check for check in full if check.name.startswith("Notebooks")]
    assert len(gone) == 3 and len({str(check.environment) for check in gone}) == 3
    assert [c.name for c in quick] == [c.name for c in full if c not in gone]
    assert any("not browser" in check.command for check in quick)
    assert not any("not browser" in check.command for check in full)


def test_checks_go_on_after_a_failure_and_end_with_the_closing_lines(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def check(name: str, code: str) -> object:
        return start.Check(name, [sys.executable, "-c", code], {"WORD": name})

    shown = "import os; print(os.environ['WORD'], os.path.isdir(os.environ['LLMTRAIN101_CACHE']))"
    listed = [
        check("first", "raise SystemExit(3)"),
        check("second", shown),
        check("third", "print('== 7 passed, 1 skipped in 3.21s ==')"),
    ]
    monkeypatch.setattr(start, "checks", lambda quick: listed)
    assert start.test(False) == 1
    lines = capfd.readouterr().out.strip().splitlines()
    assert "second True" in lines
    assert lines[-2:] == ["1 of 3 failed: first", "== 7 passed, 1 skipped in 3.21s =="]
    monkeypatch.setattr(start, "checks", lambda quick: listed[1:])
    assert start.test(False) == 0
    assert "All passed." in capfd.readouterr().out
