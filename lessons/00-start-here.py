# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Start here
#
# Click into the grey box below. Hold *Shift* and press *Enter*. The box runs, which
# takes a few seconds, and the next one is chosen. Go on like this: read, press
# *Shift+Enter*, read.

# %%
import torch

from llmtrain101 import course, seeds, sources, tokens
from llmtrain101.generate import generate
from llmtrain101.model import LanguageModel, ModelConfig, language_model_loss
from llmtrain101.train import TrainConfig, text_batches, train

course.start("00")
course.promises(
    "00",
    "read the settings of a training, and change one of them",
    "read a loss: how surprised the model is by the next character",
    "say what an experiment showed, and when it showed nothing",
    minutes=35,
    before="some Python. You need not have used Jupyter.",
)

# %% [markdown]
# ## Train a language model
#
# The next box reads a real text that is already on your disk: the manual of the Python
# language. It makes a model that knows nothing and lets it write. Then it trains the
# model, which takes about 10 seconds, and lets it write again.
#
# You need not understand these lines yet. Guess before you run them: will it write
# noise, words or sentences after 10 seconds?

# %%
text = "\n\n".join(sources.manual().text)
tokenizer = tokens.characters(text)  # gives each character a number
config = ModelConfig.tiny(tokenizer.vocab_size, d_model=96)
model = LanguageModel(config, generator=seeds.generator(0, "init"))


def write(model, tokenizer, start="The ", length=250):
    ids, dice = torch.tensor([tokenizer.encode(start)]), seeds.generator(0, "sample")
    ids = generate(model, ids, length, temperature=0.7, generator=dice)
    return tokenizer.decode(ids[0].tolist(), skip_special_tokens=True)


before = write(model, tokenizer)
batches = text_batches(tokenizer.encode(text), 16, 64, seed=0)
history = train(model, batches, language_model_loss, TrainConfig(max_steps=300))
course.varies(f"BEFORE\n{before}\n\nAFTER\n{write(model, tokenizer)}")

# %% [markdown]
# Noise before; words and nearly-words after, set out like a manual. No sentence holds
# together. Nobody told the model what a word is: it was shown pieces of the text and
# asked, again and again, which character comes next.
#
# That is all a **language model** does: it gives every possible next piece of text a
# **chance**, from 0 to 1. To write, it draws one piece by these chances, adds it to the
# text, and starts over. Chatbots do the same with larger pieces and a million times as
# many adjustable numbers. Those numbers are the **parameters**; one adjustment of all
# of them is a **step**.

# %%
steps = len(history)
parameters = sum(weights.numel() for weights in model.parameters())
course.within("parameters", parameters, 235_000, 250_000)
print("steps:", steps)

# %% [markdown]
# ## How to use these pages
#
# What you are reading is a **notebook**: text and code in boxes, called **cells**. Code
# runs in a Python process of its own, the **kernel**. It remembers every name until it
# is restarted. Run the next cell three times (click into it, *Ctrl+Enter* runs it and
# stays):

# %%
count = globals().get("count", 0) + 1
print("this cell has run in this kernel:", count)

# %% [markdown]
# The number left of a cell, such as `[3]`, says when it ran. `[*]` means that it is
# running or waits for its turn. `[ ]` means that it has not run since the notebook was
# opened. What you see below a cell may come from an earlier day: the kernel knows a
# name only after the cell that makes it has run today.
#
# | you want to | keys | or with the mouse |
# | --- | --- | --- |
# | run a cell and go on | *Shift+Enter* | ▶ at the top |
# | edit a cell; stop editing | *Enter*; *Esc* | click into it |
# | add a cell below, while not editing | *B* | + at the top |
# | stop what runs | *I* twice, while not editing | ■ at the top |
# | restart the kernel | *0* twice (zero), while not editing | ↻ at the top |
#
# More keys stand near the end, under *More keys*.
#
# To interrupt is harmless. A training that you stop finishes its step, and the
# model keeps what it has learnt until then. Any other cell stops with a red
# `KeyboardInterrupt`: that is a note, not damage. Run it again when you like.
#
# Your files lie in the folder on the left. They are your copy: change what you want,
# and an update of the course will not overwrite it. Now let the course look at your
# machine.

# %%
from llmtrain101.course.machine import machine_report

rows = machine_report()
course.varies("\n".join(f"{row.state:8} {row.name:10} {row.advice}" for row in rows))

# %% [markdown]
# `ok` everywhere is what you want. Beside anything else stands what to do; a *warning*
# about speed only means that you wait longer than the text says.
#
# ## By hand: one character
#
# What does the model do with a piece of text? Ask it what comes after `The statemen`,
# and see which four characters it holds to be likeliest.


# %%
def chances(start):
    """The chance of each possible next character, after the text so far."""
    with torch.inference_mode():
        scores = model(torch.tensor([tokenizer.encode(start)]))[0, -1]
    return scores.softmax(dim=0)  # from scores to chances that add up to 1


after = chances("The statemen")
likeliest = zip(*(found.tolist() for found in after.topk(4)), strict=True)
course.varies("\n".join(f"{tokenizer.decode([i])!r}  {p:.4f}" for p, i in likeliest))
course.within("chance of 't'", after[tokenizer.encode("t")[0]], 0.5, 1)
assert abs(after.sum() - 1) < 1e-4

# %% [markdown]
# How surprised is the model when the next character comes? Take the chance `p` that it
# gave to this character, and compute its **surprise**, `-log(p)`.

# %%
from math import exp, isclose, log

for p in (0.99, 0.5, 0.25, 0.01):
    print(f"p = {p:4}   -log(p) = {-log(p):.2f}   as if choosing among {1 / p:.0f}")

# %% [markdown]
# If the model was nearly sure, the number is near 0. At a chance of 0.25 it hesitated,
# in a sense, between four equally good characters. Now every character of a sentence:
# write down which of them will surprise the model most.

# %%
sentence = "The statement is executed."
surprise = []
for n in range(1, len(sentence)):
    p = chances(sentence[:n])[tokenizer.encode(sentence[n])[0]].item()
    surprise.append(-log(p))
by_hand = sum(surprise) / len(surprise)

ids = torch.tensor([tokenizer.encode(sentence)])
library = language_model_loss(model, (ids[:, :-1], ids[:, 1:])).item()
assert isclose(by_hand, library, rel_tol=1e-3)
print("by hand and by the library: the same mean surprise")
pairs = zip(sentence[1:].replace(" ", "␣"), surprise, strict=True)
course.varies("   ".join(f"{character} {s:.1f}" for character, s in pairs))

# %% [markdown]
# The mean of these numbers is the **loss**. Training adjusts the parameters in the
# direction in which the loss falls; nothing else is ever asked. `exp(loss)` turns it
# back into a number of characters. Before training, the model should hesitate between
# all characters that there are. Does it?

# %%
start, end = history[0]["loss"], sum(row["loss"] for row in history[-20:]) / 20
assert isclose(exp(start), tokenizer.vocab_size, rel_tol=1e-3)
course.within("characters that there are", tokenizer.vocab_size, 90, 130)
course.within("hesitates between, before training", exp(start), 90, 130)
course.within("hesitates between, after training", exp(end), 3, 5)

# %% [markdown]
# ## Look
#
# Every training of this course leaves a history. Here is yours, step by step.

# %%
from llmtrain101 import plots

course.figure(
    plots.loss_curves({"training": history}, smooth=10, y_label="loss"),
    "The loss against the step. It falls steeply at first, then more and more slowly, and "
    "is still falling at the end.",
)

# %% [markdown]
# The pale line is each step, the dark one the mean over some steps around it. The first
# steps teach the most, and each later one less.
#
# Now one thing to play with. The bars show what the model expects after a part of the
# sentence. First as a picture that holds still:


# %%
def draw(letters=8):
    part = sentence[:letters]
    values, places = chances(part).topk(6)
    names = [tokenizer.decode([i]) for i in places.tolist()]
    bars = dict(zip(names, values.tolist(), strict=True))
    title = f"after “{part}” comes “{sentence[letters]}”".replace("“ ”", "“␣”")
    ax = plots.bars(bars, number=None, title=title, x_label="chance")
    ax.set_xlim(0, 1)
    return ax


course.figure(
    draw(),
    "Bars for the six likeliest characters after “The stat”. The longest bar is that of "
    "“e”, the character that comes next.",
)

# %% [markdown]
# And with a slider: drag it, or click on it and press *Page up*. Where in the sentence
# is the model sure, and where can it not know? Compare it with the surprise that you
# computed.

# %%
course.play(
    draw,
    alt="Bars for the six likeliest characters after the first {letters} letters.",
    letters=(1, len(sentence) - 1),
)

# %% [markdown]
# ## A claim, tested
#
# The course treats what people say about training as claims, and tests each. Here is a
# small one: "training longer makes a model better". Better at what? Not at the text that
# it trains on, or learning by heart would win. So part of the text is put away, and the
# loss is measured there. The manual repeats itself; each paragraph is kept only once,
# so that none is on both sides.

# %%
paragraphs = list(dict.fromkeys(text.split("\n\n")))
cut = len(paragraphs) * 9 // 10
assert not set(paragraphs[:cut]) & set(paragraphs[cut:])
seen = tokenizer.encode_array("\n\n".join(paragraphs[:cut]))
unseen = tokenizer.encode_array("\n\n".join(paragraphs[cut:]))[:20_000]

# %% [markdown]
# One training proves little: another start, another result. A **seed** is a number that
# fixes everything random in a training: the first parameters and the order of the text.
# Each seed is used twice, once for the short training, once for the long one, so that
# the two are a fair pair. The models are small, to be quick.

# %%
from functools import partial

from llmtrain101 import evaluate

small = ModelConfig.tiny(tokenizer.vocab_size, d_model=64, n_layers=1)


def run(steps, ids, seed):
    model = LanguageModel(small, generator=seeds.generator(seed, "init"))
    batches, config = text_batches(ids, 8, 64, seed=seed), TrainConfig(max_steps=steps)
    history = train(model, batches, language_model_loss, config, progress=False)
    loss = evaluate.text_loss(model, unseen)
    return {"value": loss, "training_loss": history[-1]["loss"]}


arms = {"25 steps": partial(run, 25, seen), "100 steps": partial(run, 100, seen)}

# %% [markdown]
# Before anything runs, the claim is written down: what is compared with what, how it is
# measured, and from which difference on you would care. The side that stands for "as
# usual" is the **control**, the other one the **treatment**. Beside them goes the
# dullest rival that there is. It knows how frequent each character is, and looks at
# nothing else: a **baseline**.

# %%
from llmtrain101.experiment import Claim

claim = Claim(
    "training four times as long lowers the loss on unseen text",
    control="25 steps",
    treatment="100 steps",
    metric="loss on unseen text",
    unit="nats per character",
    smallest_effect=0.1,
    higher_is_better=False,
    baselines=("frequencies alone",),
    lesson="00",
)
counts = torch.bincount(torch.tensor(seen), minlength=tokenizer.vocab_size) + 1
surprise_by_frequency = -(counts / counts.sum()).log()
rivals = {"frequencies alone": surprise_by_frequency[unseen].mean().item()}
print(claim)

# %% [markdown]
# *Nats* is what the unit of `-log(p)` is called. Write down your guess: how large is
# the difference, in nats? Is it the same for every seed? Then run it.

# %%
results = claim.run(arms, seeds=range(8), constants=rivals, minutes=0.15)
course.figure(results.plot(), results.alt_text())

# %%
print(results.verdict)
course.varies(results.summary())

# %% [markdown]
# Each line on the left joins the two trainings of one seed. On the right are the
# differences, and their mean with an **interval**: the values that the true mean may
# well have, given how much the seeds disagree. Made this way, about 95 of 100 such
# intervals hold the true value, unless an arm now and then goes astray. What lies in
# the grey band is too small to matter here.
#
# The **verdict** is computed from the interval, not written by hand:
#
# - *supported*: all of it is at or above the smallest difference that matters;
# - *no effect found*: all of it is too small to matter, in either direction;
# - *not supported*: all of it is below what matters, and it reaches down to a harm that
#   matters;
# - *undecided*: anything else. More seeds would tell.
#
# If yours says *supported*: at these sizes, training longer is worth it. It has not
# shown that it always is.

# %% [markdown]
# ## When it does not help
#
# The same two trainings, with nothing changed but the text: in place of the whole
# manual, one page of it. They are measured on the same unseen text as before. Which of
# the four verdicts will it be?

# %%
from dataclasses import replace

page = seen[:2_000]
one_page = replace(
    claim,
    prediction="training four times as long on one page lowers the loss on unseen text",
)
on_page = {"25 steps": partial(run, 25, page), "100 steps": partial(run, 100, page)}
harm = one_page.run(on_page, seeds=range(8), constants=rivals, minutes=0.15)
course.figure(harm.plot(), harm.alt_text())

# %%
print(harm.verdict)
means = harm.table.groupby("arm", sort=False)[["training_loss", "value"]].mean()
course.varies(means.rename(columns={"value": "loss_on_unseen"}).round(2))
assert means.training_loss["100 steps"] < means.training_loss["25 steps"]

# %% [markdown]
# The loss on the page itself fell, as training always makes it. If your verdict is *not
# supported*, the loss on unseen text rose meanwhile: the model is learning the page by
# heart (take `exp` of its training loss: how far has it got?), and is already sure of
# itself where it should not be. Compare the loss on unseen text with the dotted
# line of the frequencies. Lesson 01 is about this difference.
#
# A second run of these cells takes a moment only: finished trainings are kept in a
# cache on your disk. Change something, and only what depends on it is trained again.

# %% [markdown]
# ## Exercises
#
# Each exercise has two cells: yours, which you edit, and the check. Run yours, then the
# check: it says *unattempted*, *failed* with what is wrong, or *passed*. If you are
# stuck, add a cell below (*Esc*, then *B*): `course.hint("00.1")` in it gives a hint,
# and one more each time you run it; `course.solution("00.1")` shows a way to do it.
# Nothing is graded, and you may try as often as you like.
#
# ### Exercise 00.1: Twice as long
#
# (2 min, difficulty ●○○) First run both cells as they are. Then replace the `...` by
# settings that train for twice as many steps as the first training on this page, with
# all else as it was: the cell of that training shows how settings are written. Try a
# wrong number as well, and read what the check says.

# %% tags=["exercise-00.1", "starter"]
longer = ...

# %% tags=["exercise-00.1", "solution"]
longer = TrainConfig(max_steps=600)

# %%
course.check("00.1", longer)

# %% [markdown]
# ### Exercise 00.2: Surprise
#
# (3 min, difficulty ●○○) Write the function that gives the surprise about a character
# whose chance was `p`. You have seen the formula; `log` is imported above.


# %% tags=["exercise-00.2", "starter"]
def surprised(p):
    return ...


# %% tags=["exercise-00.2", "solution"]
def surprised(p):
    return -log(p)


# %%
course.check("00.2", surprised)

# %% [markdown]
# ### Exercise 00.3: Be the judge
#
# (6 min, difficulty ●●○) From the two ends of an interval (+ is as predicted) and the
# smallest difference that matters, give back the verdict: `"supported"`, `"no effect
# found"`, `"not supported"` or `"undecided"`.


# %% tags=["exercise-00.3", "starter"]
def judge(low, high, smallest):
    return ...


# %% tags=["exercise-00.3", "solution"]
def judge(low, high, smallest):
    if low >= smallest:
        return "supported"
    if -smallest < low and high < smallest:
        return "no effect found"
    if high < smallest:
        return "not supported"
    return "undecided"


# %%
course.check("00.3", judge)

# %% [markdown]
# ## Quiz
#
# Three questions. The right answers are computed from your own runs above. Choose one
# and press *Check*. Where there are no buttons, type `quiz.answer(1, "a")` into a cell.

# %%
given = ["0.9", "0.5", "0.05"]
most = max(range(3), key=lambda place: -log(float(given[place])))
rose = means.value["100 steps"] > means.value["25 steps"]
try:
    eval("write(model, tokenizer)", {})  # {} knows no names, as a new kernel does
    unknown = False
except NameError:
    unknown = True

# %%
quiz = course.Quiz("00")
question = "What chance given to the next character surprises most, when it comes?"
quiz.ask(question, given, answer=most, why="`-log(p)` grows as `p` falls.")
question = "The loss on the one page fell. What did the loss on unseen text do?"
why = "The model was learning the page by heart; only unseen text can show that."
quiz.ask(question, ["It fell too.", "It rose."], answer=int(rose), why=why)
question = "You restart the kernel, then run only `write(model, tokenizer)`. What now?"
options = ["It writes.", "NameError: an unknown name.", "It trains, then writes."]
why = "The kernel forgot all names. Menu Run, Run All Above Selected Cell."
quiz.ask(question, options, answer=int(unknown), why=why)
quiz.show()

# %% [markdown]
# What you have done so far in this lesson (`course.progress()` shows them all):

# %%
course.progress("00")

# %% [markdown]
# It is kept in the hidden folder `.llmtrain101` beside your notebooks. What was once
# passed stays passed, also when you run the lesson again or update the course.
#
# ## When something breaks
#
# - *`NameError`*: a cell further up has not run since the kernel started. The last line
#   of the message, behind the →, says which. Menu *Run*, *Run All Above Selected Cell*.
# - *Results that cannot be*: cells ran in another order, or you edited one and did not
#   run it again. Menu *Kernel*, *Restart Kernel and Run up to Selected Cell*.
# - *`[*]` for long*: look at the bar, if there is one. Else stop the cell (■), and read
#   the text above it: it says what is usual.
# - *"The kernel appears to have died"*: most often the memory was full. Close other
#   programs, and other notebooks by menu *Kernel*, *Shut Down All Kernels*. Run again.
# - *A cell is gone, or spoilt*: *Z* takes back a deletion. To begin afresh, rename your
#   notebook and start the course again: it lays out a new copy.
# - *The page is gone*: your work is on your disk. Start the course again.
#
# Try it now, while nothing is at stake: restart the kernel (*0* twice, then *Enter*),
# run the cell below, and read its last line. Then repair it as the line says.

# %%
print(f"The model has learnt in {len(history)} steps.")

# %% [markdown]
# ## More keys
#
# | you want to | keys | or with the mouse |
# | --- | --- | --- |
# | run a cell and stay | *Ctrl+Enter* | |
# | move between cells, while not editing | *↑* *↓* | click beside one |
# | add a cell above, while not editing | *A* | |
# | take back a change | *Ctrl+Z* while editing, *Z* while not | menu Edit |
# | save | *Ctrl+S* | menu File |
# | show or hide your files | *Ctrl+B* | the folder on the left edge |
# | look up a name | *Shift+Tab* while editing, behind the name | menu Help |
#
# On a Mac, *Ctrl* is *⌘*, but for *Ctrl+Enter*. To reach buttons and sliders below a
# cell without a mouse, press *Esc*, then *Tab* until the one you want is framed;
# *Enter* or *Space* presses a button, *Home*, *End*, *Page up* and *Page down* move a
# slider.
#
# ## On your own text
#
# To train on a text of yours, change the line that the arrow points out, for example to
# `own = "my-text.txt"`. The file lies beside this notebook: drag it into the folder on
# the left. The name of a folder works too. It should be plain text with some hundred
# thousand characters. As it stands, the cell trains on a Python program.

# %%
import argparse

from llmtrain101.texts import find_texts, read_pieces

own = argparse.__file__  # ← "my-text.txt"
own_text = "".join(piece for file in find_texts(own) for piece in read_pieces(file))
own_tokenizer = tokens.characters(own_text)
own_config = ModelConfig.tiny(own_tokenizer.vocab_size, d_model=96)
own_model = LanguageModel(own_config, generator=seeds.generator(0, "init"))
own_batches = text_batches(own_tokenizer.encode(own_text), 16, 64, seed=0)
train(own_model, own_batches, language_model_loss, TrainConfig(max_steps=150))
course.varies(write(own_model, own_tokenizer, start=own_text[:1]))

# %% [markdown]
# The same model, the same loop, and it writes something that looks like code. The text
# makes the model.
#
# ## Where you are
#
# - 00 Start here: this one.
# - 01 Learning versus training: here. When has a model found the relation, and when does
#   it only know its rows?
# - 02 Supervised learning: here. What labels buy, and what a dull baseline already gets.
# - 03 Collecting and cleaning data: here. Which faults matter, and a leak that flatters.
# - 04 From text to features: here. Counts, pieces and learnt vectors, judged alike.
# - 05 Labelling by hand: here. You label, and measure how far people agree.
# - 06 Storing labelled data: here. What lies in the files, byte by byte.
# - 07 Labelling automatically: here. Rules, images and clusters in place of people.
# - 08 Semi-supervised learning: here. A model that labels for itself, and one that asks.
# - 09 Pre-training a language model: here. The model of this page, taken apart, on more
#   text.
# - 10 to 18, to come: the techniques of the article (transfer, curricula, several tasks,
#   attacks, rewards), what they cost, and how they scale.
#
# Go on with 01; with 09 if you want language models at once. The article whose sentences
# are tested in all of them is *Generative AI 101 Part 2: How are LLMs Trained*. Terms are
# explained where they first come, and in `docs/glossary.md`.
#
# ## Further
#
# What carries over to a model with a million times as many parameters: the loss, the
# loop, text put away to measure on, and that too little text is learnt by heart. What
# does not: such a model is trained once or twice, not with eight seeds, and its pieces
# of text are larger than a character. So losses of the two do not compare. Per
# character, in bits, they do:

# %%
course.within("bits per character, after training", end / log(2), 1.6, 2.4)

# %% [markdown]
# - Claude Shannon, "Prediction and Entropy of Printed English" (1951): English has
#   about 2.3 bits per letter if one looks back at most eight letters. He counted 26
#   letters and the space; your text has capitals, marks and code, and much of it
#   repeats.
# - Andrej Karpathy, [nanoGPT](https://github.com/karpathy/nanoGPT): characters of
#   Shakespeare, in about 3 minutes on a laptop without a graphics card, to a loss of
#   1.88 nats on unseen text. Another text, so set beside yours only the order of size.

# %%
course.promises_kept("00")
