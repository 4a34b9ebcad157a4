"""Training is killed at 20 random moments; each time it goes on, and it ends with the same bits."""

import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from llmtrain101.weights import sha256

STEPS = 60
CHAINS, KILLS = 4, 5  # each chain is killed five times on its way to the end
TEXT = "It was the best of times, it was the worst of times, it was the age of wisdom.\n" * 50


def command(text, out, *more):
    shape = "--d-model 16 --n-layers 1 --n-heads 1 --context-length 16 --batch-size 4 --threads 1"
    given = ["train", "--text", text, "--out", out, "--steps", STEPS, *shape.split(), *more]
    return [sys.executable, "-m", "llmtrain101", *map(str, given)]


def run(*arguments):
    done = subprocess.run(command(*arguments), capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


def newest_step(out):
    states = (out / "training" / "states").glob("step-*")
    return max((int(state.name[5:13]) for state in states), default=0)


def kill_when(arguments, reached):
    """Start a run and kill it as soon as `reached` says so; whether it was still alive then."""
    with subprocess.Popen(
        command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None and not reached():
            time.sleep(0.002)
        alive = process.poll() is None
        process.kill()
    return alive


def killed_again_and_again(text, out, seed):
    """The kills that hit: one while starting, the others at random steps, some time into each."""
    draw, hits = random.Random(seed), 0
    steps = sorted(draw.sample(range(1, STEPS - 5), KILLS - 1))
    later = draw.uniform(0, 1.5)  # seconds into the start, which takes one to two
    start = time.monotonic()
    resume = ("--save-every", 0, "--resume")  # a state after every step
    hits += kill_when((text, out, *resume), lambda: time.monotonic() - start > later)
    for step in steps:
        hits += kill_when(
            (text, out, *resume),
            lambda: newest_step(out) >= step and not time.sleep(draw.uniform(0, 0.02)),  # noqa: B023
        )
    return hits, run(text, out, *resume)


@pytest.fixture(scope="module")
def left_alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("left alone")
    text = folder / "text.txt"
    text.write_text(TEXT, encoding="utf-8")
    run(text, folder / "model")
    return text, sha256(folder / "model" / "model.safetensors")


def test_killed_at_any_moment_a_run_ends_with_the_same_bits(left_alone, tmp_path):
    text, expected = left_alone
    folders = [tmp_path / str(seed) for seed in range(CHAINS)]
    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(killed_again_and_again, [text] * CHAINS, folders, range(CHAINS)))
    assert sum(hits for hits, _ in ends) == CHAINS * KILLS
    for folder, (_, output) in zip(folders, ends, strict=True):
        assert "Going on  after" in output
        assert sha256(folder / "model.safetensors") == expected


def test_the_bits_depend_on_what_should_decide_them(left_alone, tmp_path):
    text, expected = left_alone
    run(text, tmp_path / "other seed", "--seed", 1)
    assert sha256(tmp_path / "other seed" / "model.safetensors") != expected
