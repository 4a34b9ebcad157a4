"""Install the course into .venv beside this file and open it in JupyterLab.

    python start.py                    install what is missing, then open lesson 00
    python start.py --no-browser       the same, only printing the address
    python start.py run 09             run lesson 09 here and print its verdicts
    python start.py test [--quick]     every check that CI runs

Standard library only: it runs before anything is installed. An older Python has to be able to parse
this file in order to say that it is too old: no syntax here is newer than 3.6.
"""

import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 14):
    sys.exit(
        "The course needs Python 3.11, 3.12, 3.13 or 3.14, and this is {}.{}: install one of them "
        "from https://www.python.org/downloads and run this file with it, for example "
        "`python3.13 start.py`.".format(*sys.version_info)
    )

import argparse
import errno
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STATE = VENV / "start.json"  # written last, so its existence means that the install completed
LOG = VENV / "install.log"
LOCK = VENV / "start.lock"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"

# Measured for the pins of constraints.txt: MB to download, GB on disk once unpacked.
SIZES = {"cpu": (190, 0.8), "cuda": (2730, 4.6), "other": (120, 0.6)}
REST_MB, REST_GB = 245, 1.2


class Stop(Exception):
    """Something that the reader can mend; its text is the one sentence that says how."""


# ------------------------------------------------------------------------------- what went wrong

# Looked for in this order: a full disk or no network makes pip complain of other things as well.
FAULTS = [
    (
        r"No space left|not enough space on the disk|quota exceeded|Errno 28\b|WinError 112\b",
        "The disk is full: free some room where {venv} is, then start again; it goes on from here.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError|SSLCertVerificationError",
        "The package index could not be reached safely (its certificate is not trusted here): on a "
        "company network ask for its certificate file, set PIP_CERT to it, and start again.",
    ),
    (
        r"NewConnectionError|Failed to establish a new connection|name resolution|getaddrinfo "
        r"failed|nodename nor servname|[Tt]imed? ?out|Connection (refused|reset|aborted|broken)|"
        r"Network is unreachable|ProxyError|RemoteDisconnected|IncompleteRead|WinError 100[56]\d",
        "The package index could not be reached: check the network (behind a proxy set "
        "HTTPS_PROXY), then start again; what is already here is kept.",
    ),
    (
        r"Long Path support|WinError 206\b",
        "A path became too long for Windows: move this folder to a short one, such as C:\\course, "
        "or enable long paths (https://pip.pypa.io/warnings/enable-long-paths), then start again.",
    ),
    (
        r"being used by another process|WinError 32\b",
        "A file of {venv} is in use: close JupyterLab and any other program that runs from it, "
        "then start again.",
    ),
    (
        r"Permission denied|Access is denied|Read-only file system|Operation not permitted|"
        r"WinError 5\b|Errno (13|30)\b",
        "{venv} cannot be written: copy the course into a folder of your own, for example in your "
        "home folder, and start it there.",
    ),
    (
        r"ensurepip is not available|No module named '?(venv|ensurepip)",
        "This Python came without venv: on Debian and Ubuntu run "
        "`sudo apt install python3-venv`, then start again.",
    ),
    (
        r"No matching distribution found for torch\b",
        "PyTorch has no build for this machine: it needs 64-bit Linux, 64-bit Windows on an Intel "
        "or AMD processor, or a Mac with an Apple processor and macOS 14 or newer.",
    ),
    (
        r"No matching distribution found for (\S+)",
        "There is no build of {match} for this Python and this machine: try another Python from "
        "3.11 to 3.14.",
    ),
    (
        r"DO NOT MATCH THE HASHES|BadZipFile|is not a valid wheel|has an invalid wheel",
        "A download was damaged: start again, and if that repeats run `python -m pip cache purge`.",
    ),
    (
        r"DLL load failed|WinError 126\b|WinError 1114\b",
        "PyTorch cannot be loaded: install https://aka.ms/vs/17/release/vc_redist.x64.exe "
        "(Microsoft's C++ runtime), then start again.",
    ),
    (
        r"ended from outside by signal",
        "Something ended it, perhaps for want of memory: close other programs and start again; it "
        "goes on from here.",
    ),
    (
        r"MemoryError|Cannot allocate memory",
        "The memory ran out: close other programs and start again.",
    ),
]


def explain(output: str) -> str | None:
    """The sentence for what pip, venv or the system printed, or None where it is not known."""
    for pattern, sentence in FAULTS:
        found = re.search(pattern, output)
        if found:
            match = found.group(1) if found.groups() else ""
            return sentence.format(venv=VENV, match=match)
    return None


def free_gb() -> float:
    """Free room on the disk of this folder, in GB."""
    return shutil.disk_usage(HERE).free / 1e9


def failed(doing: str, output: str) -> Stop:
    """What to tell after `doing` failed: the last lines of its output, then what to do."""
    if free_gb() < 0.02:  # then the log has lost its end, and with it the reason
        output += "No space left on device"
    lines = [line.rstrip() for line in output.splitlines() if line.strip()]
    shown = "".join(f"\n    {line[:200]}" for line in lines[-8:])
    sentence = explain(output) or (
        f"{doing} failed for a reason unknown to this file: start again, and if that repeats, "
        f"delete {VENV} and start once more; all that was printed is in {LOG}."
    )
    return Stop(f"{doing} failed. Its last lines:{shown}\n\n{sentence}")


def say(text: str) -> None:
    print(text, flush=True)


# -------------------------------------------------------------------------- what is there already


def fingerprint() -> str:
    """Changes when the pins, the package's needs or the place of this folder change."""
    digest = hashlib.sha256(str(HERE).encode())
    for name in ("constraints.txt", "pyproject.toml"):
        digest.update((HERE / name).read_bytes())
    return digest.hexdigest()


def state() -> dict[str, Any]:
    """What the last complete install left in STATE, or nothing."""
    try:
        read = json.loads(STATE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def python_there() -> list[int] | None:
    """The version of .venv's Python, for example [3, 11], or None where it does not run."""
    try:
        asked = [str(PYTHON), "-c", "import sys; print(*sys.version_info[:2])"]
        done = subprocess.run(asked, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return [int(part) for part in done.stdout.split()]


def installed(extras: set[str]) -> bool:
    """Whether a complete install of today's pins, with these extras, is there and runs."""
    found = state()
    return (
        found.get("fingerprint") == fingerprint()
        and extras <= set(found["extras"])
        and found["python"] == python_there()
    )


def site_packages() -> Iterator[Path]:
    for pattern in ("lib/python3*/site-packages", "Lib/site-packages"):
        yield from VENV.glob(pattern)


def has(package: str) -> bool:
    """Whether `package` (a name and version, as in names of files) was installed to its end."""
    return any(any(s.glob(f"{package}.dist-info/INSTALLER")) for s in site_packages())


def forget_halves() -> None:
    """Let pip see packages whose unpacking was cut off as missing.

    pip takes a package for installed once its .dist-info folder is there, and writes INSTALLER
    into it after everything else.
    """
    for site in site_packages():
        for info in site.glob("*.dist-info"):
            if not (info / "INSTALLER").exists():
                shutil.rmtree(info)


# --------------------------------------------------------------------------------------- install


@contextmanager
def alone() -> Iterator[int]:
    """Hold the lock of .venv; the system lets go of it when this process ends, however it ends."""
    VENV.mkdir(exist_ok=True)
    with LOCK.open("a+") as file:
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
                raise Stop(
                    "Another start.py is installing into this folder: wait until it is done, "
                    "then start again."
                ) from None
            # a disk that knows no locks, as some network disks: go on without
        yield file.fileno()


class Waiting:
    """Shows that something is still going on: on a terminal one line that changes, else a few."""

    def __init__(self) -> None:
        self.began = self.shown = time.monotonic()
        self.terminal = sys.stdout.isatty()

    def show(self, doing: str) -> None:
        now = time.monotonic()
        if self.terminal:
            width = shutil.get_terminal_size().columns - 1
            text = f"    {now - self.began:4.0f} s  {doing}"[:width]
            print(f"\r{text:<{width}}", end="", flush=True)
        elif now - self.shown > 15:
            self.shown = now
            say(f"    {now - self.began:4.0f} s  {doing}")

    def done(self) -> None:
        text = f"    done in {time.monotonic() - self.began:.0f} s"
        width = shutil.get_terminal_size().columns - 1
        say(f"\r{text:<{width}}" if self.terminal else text)


def log_since(start: int) -> str:
    with LOG.open("rb") as log:
        log.seek(start)
        return log.read().decode("utf-8", "replace")


def current(output: str) -> str:
    """What pip is at, in a few words: the last complete line of its output, shortened."""
    line = ([""] + output.split("\n")[:-1])[-1].strip()
    if "\nInstalling collected packages" in output:  # it says little more for a minute
        done = sum(1 for site in site_packages() for _ in site.glob("*.dist-info/INSTALLER"))
        return f"unpacking: {done} packages are in place"
    return line[:60]


def logged(command: list[str], doing: str, lock: int) -> None:
    """Run a command with its output in LOG, showing that it works; Stop if it fails."""
    temporary = VENV / "tmp"  # not the system's: /tmp is often too small for PyTorch
    temporary.mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    environment.update(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary)))
    waiting = Waiting()
    with LOG.open("ab") as log:
        log.write(f"\n$ {' '.join(command)}\n".encode())
        log.flush()
        start = log.tell()
        process = subprocess.Popen(
            command,
            cwd=HERE,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # pip holds the lock too: were only this process killed, no second pip could start
            pass_fds=() if os.name == "nt" else (lock,),
        )
    try:
        while True:
            try:
                code = process.wait(timeout=0.5)
                break
            except subprocess.TimeoutExpired:
                waiting.show(current(log_since(start)))
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
        shutil.rmtree(temporary, ignore_errors=True)
    waiting.done()
    if code:
        output = log_since(start)
        if code < 0:
            output += f"\nIt was ended from outside by signal {-code}."
        raise failed(doing, output)


def pip(arguments: list[str], doing: str, lock: int) -> None:
    """`pip install` in .venv. Wheels only: building SciPy from source would take an hour."""
    options = ["--disable-pip-version-check", "--no-input", "--only-binary=:all:"]
    options += ["--no-binary=seqeval"]  # has no wheel; one of the tests' references, plain Python
    logged([str(PYTHON), "-m", "pip", "install", *options, *arguments], doing, lock)


def make_venv(lock: int) -> None:
    """A .venv with pip: the one that is there if it is whole and in its place, else a new one."""
    python = python_there()
    made_for = [state().get("folder", str(HERE)), state().get("python", python)]
    if python and python >= [3, 11] and made_for == [str(HERE), python] and has("pip-*"):
        forget_halves()
        return
    if (VENV / "pyvenv.cfg").exists():
        say("    the .venv that is there is broken, moved or of another Python: making it anew")
        for path in VENV.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path not in (LOCK, LOG):
                path.unlink()
    logged([sys.executable, "-m", "venv", str(VENV)], "Making .venv", lock)


def has_nvidia() -> bool:
    """Whether this machine has an NVIDIA GPU whose driver answers."""
    if Path("/proc/driver/nvidia/version").exists():
        return True
    tool = shutil.which("nvidia-smi")
    if not tool:
        return False
    try:
        done = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "GPU 0" in done.stdout


def pinned(package: str) -> str:
    """The version of `package` in constraints.txt."""
    text = (HERE / "constraints.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(package)}==([^\s;]+)", text, re.MULTILINE)
    if not found:
        raise Stop(f"constraints.txt has no line for {package}: restore it, then start again.")
    return found.group(1)


def lists_cpu_build(listing: str, version: str) -> bool:
    """Whether `pip index versions torch` lists a CPU build of this version for this machine."""
    found = re.search(r"^Available versions: (.*)$", listing, re.MULTILINE)
    return bool(found) and f"{version}+cpu" in found.group(1).split(", ")  # type: ignore[union-attr]


def torch_to_install(version: str) -> tuple[str, list[str]]:
    """Which build of PyTorch to take, a key of SIZES, and what to ask pip for.

    PyPI's builds for Linux carry CUDA. PyTorch's own index has one without, whose version ends in
    "+cpu". To ask for a list downloads nothing (pip's own dry run would, half a GB), and an index
    of PyTorch's that cannot be reached is asked once.
    """
    plain = ["-c", "constraints.txt", f"torch=={version}"]
    if sys.platform != "linux":
        return "other", plain
    if has_nvidia():
        return "cuda", plain
    ask = [str(PYTHON), "-m", "pip", "index", "versions", "torch"]
    # the usual index first: it may be a folder of wheels that has what is wanted
    for index, patience in (
        ([], ["--retries=2", "--timeout=15"]),
        ([f"--extra-index-url={CPU_INDEX}"], ["--retries=0", "--timeout=8"]),
    ):
        done = subprocess.run(ask + index + patience, capture_output=True, text=True)
        if lists_cpu_build(done.stdout, version):
            # --no-deps: all else comes from the usual index
            return "cpu", [f"torch=={version}+cpu", "--no-deps", *index]
        sentence = explain(done.stderr) if done.returncode and not index else None
        if sentence:
            raise Stop(sentence)
    say(
        f"    {CPU_INDEX} has no PyTorch for this machine, or cannot be reached.\n"
        "    What is left is the build for NVIDIA cards: it works without one, but is large."
    )
    return "cuda", plain


def room_for(gb: float) -> None:
    if free_gb() < gb:
        raise Stop(
            f"{free_gb():.1f} GB are free where {HERE} is, and {gb:.1f} GB are needed: free some "
            "room or move this folder to another disk, then start again."
        )


def install(extras: set[str]) -> None:
    """Bring .venv to today's pins, doing only what is missing."""
    if installed(extras):
        say(f"Installed already, in {VENV}.")
        return
    with alone() as lock:
        began = time.monotonic()
        extras = extras | set(state().get("extras", []))
        say(f"Installing the course into {VENV}; Ctrl-C stops, the next start goes on from there.")

        say("\n[1/4] A Python of its own for the course: about 10 s, 20 MB")
        room_for(0.1)
        make_venv(lock)
        STATE.unlink(missing_ok=True)

        version = pinned("torch")
        say(f"\n[2/4] PyTorch {version}, which does the arithmetic")
        if has(f"torch-{version}*"):
            say("    is there already")
        else:
            build, arguments = torch_to_install(version)
            megabytes, gigabytes = SIZES[build]
            minutes = "1 to 3 minutes" if megabytes < 500 else "5 to 20 minutes"
            say(f"    {megabytes:,} MB to download, {gigabytes} GB on disk: {minutes}")
            room_for(gigabytes + megabytes / 1000 + REST_GB)
            if build == "cuda" and sys.stdin.isatty():
                say("    Press Ctrl-C within 10 s if that is too much.")
                time.sleep(10)
            pip(arguments, "Installing PyTorch", lock)

        say(f"\n[3/4] JupyterLab and the rest: {REST_MB} MB to download: 1 to 3 minutes")
        room_for(REST_GB + REST_MB / 1000)
        course = f".[{','.join(sorted(extras))}]" if extras else "."
        pip(["-c", "constraints.txt", "-e", course], "Installing the course", lock)

        say("\n[4/4] Trying it: about 20 s the first time")
        trial = "import jupyterlab, torch, transformers, llmtrain101"
        logged([str(PYTHON), "-c", trial], "Trying the installed course", lock)

        complete = {
            "fingerprint": fingerprint(),
            "folder": str(HERE),
            "python": python_there(),
            "extras": sorted(extras),
        }
        part = STATE.with_suffix(".part")
        part.write_text(json.dumps(complete), encoding="utf-8")
        os.replace(part, STATE)
        say(f"\nInstalled in {time.monotonic() - began:.0f} s.")


# ---------------------------------------------------------------------------------------- checks


class Check(NamedTuple):
    """One line of `python start.py test`; in its command "{new}" is a new, empty folder."""

    name: str
    command: list[str]
    environment: dict[str, str] = {}


# The committed outputs of the notebooks must hold whatever does the arithmetic.
PROCESSORS = {
    "2 threads": {"OMP_NUM_THREADS": "2"},
    "1 thread": {"OMP_NUM_THREADS": "1"},
    "another processor, imitated; no network": {
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_CBWR": "COMPATIBLE",
        "PYTHONPATH": str(HERE / "tests" / "offline"),
    },
}


def checks(quick: bool) -> list[Check]:
    """Every check, in order; `quick` leaves out the notebooks and the tests in a browser."""
    run = [str(PYTHON), "-m"]
    notebooks = [*run, "pytest", "--nbval", "--nbval-current-env", "notebooks"]
    return [
        Check("Lint", [*run, "ruff", "check"]),
        Check("Format", [*run, "ruff", "format", "--check"]),
        Check("Spelling", [*run, "codespell_lib"]),
        Check("Types", [*run, "mypy"]),
        Check(
            "Doctests and unit tests",
            [*run, "pytest", *(["-m", "not browser"] if quick else [])],
        ),
        Check(
            "Command line",
            [*run, "llmtrain101.cli", *"train --text README.md".split()]
            + "--out {new}/model --steps 20".split(),
        ),
        *(
            Check(f"Notebooks, {name}", notebooks, environment)
            for name, environment in PROCESSORS.items()
            if not quick
        ),
    ]


CLOSING = re.compile(r"\b(\d+ (passed|failed|skipped|errors?|deselected)|no tests ran)\b.* in \d")


def carry_out(check: Check) -> tuple[bool, str]:
    """Run one check; whether it passed, and pytest's closing line if it printed one."""
    closing = ""
    # a fresh cache, so that nothing passes because of what an earlier run computed
    with tempfile.TemporaryDirectory(prefix="llmtrain101-", ignore_cleanup_errors=True) as cache:
        environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "LLMTRAIN101_CACHE": cache}
        with subprocess.Popen(
            [word.replace("{new}", cache) for word in check.command],
            cwd=HERE,
            env=environment | check.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                print(line, end="", flush=True)
                if CLOSING.search(line):
                    closing = line.strip()
        return process.returncode == 0, closing


def test(quick: bool) -> int:
    """Carry out every check, going on after a failure, and sum up; 0 if all passed."""
    rows, closings, bad = [], [], []
    for check in checks(quick):
        say(f"\n{'=' * 12} {check.name}")
        began = time.monotonic()
        passed, closing = carry_out(check)
        seconds = time.monotonic() - began
        rows.append(f"    {'passed' if passed else 'FAILED'} {seconds:6.0f} s  {check.name}")
        closings += [closing] if closing else []
        bad += [] if passed else [check.name]
    say(f"\n{'=' * 12} Summary")
    say("\n".join(rows))
    say(f"{len(bad)} of {len(rows)} failed: {'; '.join(bad)}" if bad else "All passed.")
    say("\n".join(closings))
    return 1 if bad else 0


# -------------------------------------------------------------------------------------- commands


def port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, got {text!r}")
    return int(text)


def want_port(number: int) -> None:
    """Stop if JupyterLab could not listen on this port of this machine."""
    with socket.socket() as probe:
        if os.name != "nt":  # else a port that was in use a moment ago would count as in use
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError as error:
            reason = "is in use" if error.errno == errno.EADDRINUSE else "cannot be used"
            raise Stop(
                f"Port {number} {reason}: choose another, for example "
                f"`--port {8888 if number != 8888 else 8899}`, or leave --port out and a free one "
                "is taken."
            ) from None


def become(command: list[str]) -> int:
    """Hand over to a command: Ctrl-C and the exit code are its own from here."""
    sys.stdout.flush()
    if os.name != "nt":
        os.execv(command[0], command)
    process = subprocess.Popen(command)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # it got the key as well
            continue


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="start.py", description="Install and open the course.")
    made.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    made.add_argument("--port", type=port, help="port of JupyterLab (default: the first free one)")
    commands = made.add_subparsers(dest="command", metavar="[test | run]")
    check = commands.add_parser("test", help="every check that CI runs")
    check.add_argument("--quick", action="store_true", help="without notebooks and browser tests")
    lesson = commands.add_parser("run", help="run a lesson here and print its verdicts")
    lesson.add_argument("lesson", help="its number, for example 09")
    return made


def main(arguments: list[str] | None = None) -> int:
    chosen = parser().parse_args(arguments)
    try:
        if chosen.port:
            want_port(chosen.port)
        install({"test"} if chosen.command == "test" else set())
        if chosen.command == "test":
            return test(chosen.quick)
        cli = [str(PYTHON), "-m", "llmtrain101.cli"]
        if chosen.command == "run":
            return become([*cli, "run", chosen.lesson])
        lab = [*cli, "lab", "--folder", str(HERE / "my-course")]
        lab += ["--no-browser"] if chosen.no_browser else []
        lab += ["--port", str(chosen.port)] if chosen.port else []
        say("Opening JupyterLab: about 5 s. Ctrl-C here ends it; your work is kept in my-course.")
        return become(lab)
    except Stop as stop:
        print(f"\n{stop}", file=sys.stderr)
    except OSError as error:
        print(f"\n{explain(str(error)) or error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nStopped. The next `python start.py` goes on from here.", file=sys.stderr)
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main())
