"""A course of one small lesson, which the tests build, run, lay out and open in a browser."""

from __future__ import annotations

from pathlib import Path

LESSON = """\
# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # A trial lesson
#
# Short, but with one of everything.

# %%
from llmtrain101 import course

course.start("99")

# %%
course.promises(
    "99", "double a number", "tell `<` from `>`", "draw a line", minutes=3, before="Nothing."
)

# %% [markdown]
# ## By hand

# %%
numbers = [1, 2, 3]
total = sum(numbers)
print("total", total)

# %% [markdown]
# ## Look

# %%
from matplotlib.figure import Figure

axes = Figure(figsize=(3, 2)).subplots()
axes.plot(numbers, "o-")
course.figure(axes, 'A line rises from left to right: "steady" & straight.')

# %%
def draw(slope=1):
    picture = Figure(figsize=(3, 2)).subplots()
    picture.plot([0, slope])
    return picture


course.play(draw, alt="A line of slope {slope}.", slope=(0, 5))

# %%
import random
import time

from llmtrain101.progress import bar

course.varies(f"{time.perf_counter()} s, {random.random()}")
course.within("total", total + random.random() / 10, 6, 6.1)
with bar(3, "counting") as progress:
    for _ in range(3):
        time.sleep(random.random() / 50)
        progress.update()

# %% [markdown]
# ## Claim

# %%
import json
import os

if path := os.environ.get("LLMTRAIN101_RECORD"):
    verdict = dict(lesson="99", claim="b beats a", metric="accuracy", smallest_effect=0.02)
    verdict |= dict(effect=0.031, low=0.025, high=0.037, n=8, verdict="supported")
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(verdict) + "\\n")
print("supported (8 seeds)")

# %% [markdown]
# ## Exercises

# %%
from collections.abc import Callable


@course.exercise("99.1", title="Double it", minutes=2, difficulty=1, hints=["Add.", "`x + x`"])
def check(answer: Callable[[int], int]) -> str:
    if answer(3) == 9:
        raise course.Wrong("`double(3)` is 9: that is the square. Did you multiply by itself?")
    if answer(3) != 6:
        raise course.Wrong(f"`double(3)` is {answer(3)}, not 6.")
    return "Twice three is six."


# %% tags=["exercise-99.1", "starter"]
def double(x):
    ...


# %% tags=["exercise-99.1", "solution"]
def double(x):
    return x + x


# %%
course.check("99.1", double)

# %% [markdown]
# ## Quiz

# %%
quiz = course.Quiz("99")
quiz.ask(
    "What is `sum([1, 2, 3])`, if 1 < 2 <b>holds</b>?",
    ["five", f"{total} <i>apples</i>", "a rather long answer that needs more than one line: " * 3],
    answer=1,
    why="One and two and three.",
)
quiz.show()

# %%
course.promises_kept("99")
"""


def write(root: Path, lesson: str = LESSON) -> Path:
    """Write the course below `root`; its `docs` and `notebooks` come with its first build."""
    path = root / "lessons" / "99-trial.py"
    path.parent.mkdir(parents=True)
    path.write_text(lesson, encoding="utf-8", newline="\n")
    return path
