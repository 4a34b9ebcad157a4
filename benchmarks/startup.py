"""Seconds until `import llmtrain101` and `llmtrain101 --help` answer, beyond Python's own start."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 9
CASES = {
    "import llmtrain101": (["-c", "import llmtrain101"], 0.15),
    "llmtrain101 --help": (["-m", "llmtrain101", "--help"], 0.4),
}


def seconds(arguments: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    for name, (arguments, bound) in CASES.items():
        seconds(arguments)  # the first run reads the files from the disk
        whole = statistics.median(seconds(arguments) for _ in range(ROUNDS))
        bare = statistics.median(seconds(["-c", ""]) for _ in range(ROUNDS))
        verdict = "holds" if whole <= bound else "falls short"
        print(
            f"{name}: {whole:.3f} s, of which Python's start {bare:.3f} (bound {bound}): {verdict}"
        )


if __name__ == "__main__":
    main()
