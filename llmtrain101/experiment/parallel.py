"""Arms × seeds in processes of one thread each, through joblib.

One thread each does more work in all, and the bits then do not depend on how many cores there are.
A backend chosen with `joblib.parallel_config` (Dask, Ray …) is used as it is, except threads, which
would share the random streams. With "sequential" the runs follow one another in this process, where
a debugger and `print` work; as each may then see what the one before it changed, none is kept.
"""

from __future__ import annotations

import functools
import io
import json
import math
import os
import random
import signal
import sys
import threading
import traceback
import warnings
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import cloudpickle
import joblib
import numpy as np
import psutil

from llmtrain101 import seeds
from llmtrain101.experiment.cache import Run, machine
from llmtrain101.experiment.fingerprint import Fingerprint
from llmtrain101.experiment.source import changed

MEMORY_A_PROCESS = 600 * 2**20  # bytes, for Python, torch and a small model
VARIABLES = {
    # read when the libraries are loaded, for those that an arm imports only inside
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    "VECLIB_MAXIMUM_THREADS": "1",
    "PYTHONHASHSEED": "0",  # else the order of a set of strings differs from worker to worker
}


@dataclass(frozen=True)
class Task:
    """One run to be made: everything that another process needs for it."""

    arm: str
    seed: int
    function: Callable[[int], Any] | bytes  # bytes for another process
    needs_torch: bool
    setting: Mapping[str, str]  # `source.setting()` of the process that sends it


@dataclass(frozen=True)
class Failure:
    """A run that ended in an exception, and where that was raised: (file, line, function) each."""

    arm: str
    seed: int
    error: str
    frames: tuple[tuple[str, int, str], ...]

    def __str__(self) -> str:
        # Only the notebook's own process knows the lines of its cells, so they are looked up here.
        lines = traceback.StackSummary.from_list([(*frame, None) for frame in self.frames]).format()
        return f"arm {self.arm!r}, seed {self.seed}: {self.error}\n{''.join(lines)}".rstrip()


def pack(function: Callable[[int], Any], seen: Fingerprint) -> bytes:
    """The function as bytes, with the code of local modules as this process has it now.

    By name alone a worker would import the file anew, or remember what it was earlier.

    Raises
    ------
    TypeError
        If it holds something that another process cannot be sent.
    """
    with ExitStack() as stack:
        for module in seen.local.values():
            cloudpickle.register_pickle_by_value(module)
            stack.callback(cloudpickle.unregister_pickle_by_value, module)
        packed = io.BytesIO()
        try:
            _Pickler(packed).dump(function)
        except Exception as error:
            raise TypeError(
                f"it cannot be sent to another process ({error}); make what it needs inside the "
                "function, or keep it in plain values, arrays and tensors"
            ) from error
    return packed.getvalue()


def _reduce_cached(function: Any) -> tuple[Any, ...]:
    return _cached, (function.__wrapped__, function.cache_parameters())


def _cached(function: Callable[..., Any], parameters: dict[str, Any]) -> Any:
    return functools.lru_cache(**parameters)(function)


class _Pickler(cloudpickle.CloudPickler):  # type: ignore[misc]
    """Sends a function under `functools.cache` too, though not what it remembers."""

    dispatch_table = ChainMap(
        {type(functools.cache(len)): _reduce_cached}, cloudpickle.CloudPickler.dispatch_table
    )


def default_processes() -> int:
    """As many as there are cores, and as fit into the memory that is free."""
    fit = psutil.virtual_memory().available // MEMORY_A_PROCESS
    return max(1, min(int(joblib.cpu_count()), int(fit)))


def may_need_torch(packages: Set[str]) -> bool:
    """Whether a worker imports torch before a run, for a code that reaches these packages.

    It must be there to have its random stream set, but takes seconds. With nothing known about the
    code, it is imported if this process has it.
    """
    plain = {"numpy", "pandas", "scipy", "sklearn", *sys.stdlib_module_names}
    if packages and packages <= plain:
        return False
    return "torch" in sys.modules or not packages.isdisjoint({"torch", "transformers"})


def stays_here() -> bool:
    """Whether runs are made in this process: in a worker of another experiment, or by choice."""
    backend, _ = joblib.parallel.get_active_backend()
    return bool(getattr(backend, "supports_sharedmem", False))


def in_processes(
    tasks: Iterable[Task], processes: int | None
) -> Iterator[tuple[Run, dict[str, str]] | Failure]:
    """Make the runs; each is yielded as soon as it is finished.

    Parameters
    ----------
    tasks : iterable of Task
        Taken one by one as processes become free: who ends it early ends the experiment early.
    processes : int or None
        None leaves it to the backend; for joblib's own that is `default_processes()`.
    """
    if stays_here():
        yield from map(one_run, tasks)
        return
    backend, configured = joblib.parallel.get_active_backend()
    own = type(backend).__name__ == "LokyBackend"
    if own and processes is None:
        processes = configured if configured not in (None, 1) else default_processes()
    # joblib would run a single one in this process, so it gets two that take turns
    n_jobs = 2 if processes == 1 else processes
    chosen = {"backend": "loky", "inner_max_num_threads": 1} if own else {}
    streaming = own or getattr(backend, "supports_return_generator", False)
    with _environment(VARIABLES):  # which workers inherit when they start
        with joblib.parallel_config(**chosen):
            parallel = joblib.Parallel(
                n_jobs=n_jobs,
                batch_size=1,
                pre_dispatch="n_jobs",
                return_as="generator_unordered" if streaming else "list",
            )
        with warnings.catch_warnings():
            # loky replaces a worker whose memory grew; its runs are made all the same
            warnings.filterwarnings("ignore", message="A worker stopped while some jobs")
            # each in a call of its own, or joblib may begin a second before the first has ended
            parts = ([task] for task in tasks) if processes == 1 else [tasks]
            for part in parts:
                yield from parallel(joblib.delayed(one_run)(task) for task in part)


def one_run(task: Task) -> tuple[Run, dict[str, str]] | Failure:
    """Make one run in this process, whichever that is; an exception becomes a `Failure`."""
    try:
        if differing := changed(task.setting):
            raise RuntimeError(
                f"{', '.join(differing)} differ between this process and the one that sent the "
                "run; restart the kernel (and the cluster, if you use one)"
            )
        if task.needs_torch:
            import torch  # noqa: F401  # now, or its random stream could not be set
        function = task.function
        if isinstance(function, bytes):  # a fresh copy: no run sees what another left
            function = cloudpickle.loads(function)
            _leave_interrupts_to_the_sender()
        with _alone(task.seed):
            start = perf_counter()
            answer = function(task.seed)
            seconds = perf_counter() - start
        value, details = _read(answer)
        return Run(task.arm, task.seed, value, seconds, details), machine()
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = (frame for frame in frames if frame.filename != __file__)
        return Failure(
            task.arm,
            task.seed,
            f"{type(error).__name__}: {error}",
            tuple((frame.filename, frame.lineno or 0, frame.name) for frame in own),
        )


def _read(answer: Any) -> tuple[float, dict[str, Any]]:
    details: dict[str, Any] = {}
    if isinstance(answer, Mapping):
        if "value" not in answer:
            raise ValueError(
                "an arm that returns a dict must have the claim's metric in it under 'value', "
                f"got the keys {sorted(map(str, answer))}"
            )
        details = dict(answer)
        answer = details.pop("value")
    if answer is None or isinstance(answer, str):
        raise TypeError(
            f"an arm must return its metric as a number, or a dict with it, got {answer!r}"
        )
    value = float(answer)
    if not math.isfinite(value):
        raise ArithmeticError(
            f"the arm returned {value}, with which nothing can be compared; most often the loss "
            "overflowed: lower the learning rate, or count such a run as the worst value there is"
        )
    # through JSON once, so that a result is the same whether or not it comes from the cache
    return value, json.loads(json.dumps(details, default=_plain))


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):  # numpy and torch
        return value.tolist()
    raise TypeError(
        f"an arm may return numbers, text, lists and dicts, not a {type(value).__name__}"
    )


def _leave_interrupts_to_the_sender() -> None:
    """Ctrl-C reaches every process of a terminal or kernel; the one that waits ends the others."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _alone(seed: int) -> Iterator[None]:
    """One thread, and the global random streams set from the seed; all as before afterwards.

    An arm should draw from streams of its own (`llmtrain101.seeds`). One that forgets must still
    give the same number whatever ran in this process before it.
    """
    from threadpoolctl import threadpool_limits

    states = random.getstate(), np.random.get_state()
    start = seeds.stream_seed(seed, "arm")
    random.seed(start)
    np.random.seed(start % 2**32)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch_state, threads = torch.get_rng_state(), torch.get_num_threads()
        torch.manual_seed(start)
        torch.set_num_threads(1)
    try:
        with _environment(VARIABLES), threadpool_limits(1):
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        if torch is not None:
            torch.set_rng_state(torch_state)
            torch.set_num_threads(threads)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
