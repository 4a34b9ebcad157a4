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
# # Learning versus training

# %%
from llmtrain101 import course

course.start("01")
course.promises(
    "01",
    "read off a model's weights what it has learnt, and hold it against the truth",
    "tell whether a score comes from the labels: shuffle them and train again",
    "write a training step with weight decay, and say when decay helps",
    minutes=60,
    before="numpy arrays, and that a derivative is a slope. Lesson 00 shows how lessons work.",
)

# %% [markdown]
# Two words that most people use as one. The article behind this course keeps them
# apart. **Learning** is to find out how the inputs are related to the output.
# **Training** is to adjust a model on rows whose labels are known, until it predicts
# rows that it has never seen. You need both, the article says.
#
# Does the second bring the first along? With data from the world you cannot check,
# because nobody knows the true relation. So here you make the data, and you know it.

# %% [markdown]
# ## A table with a known truth
#
# The article shows a table of three people, as a CSV file. It does not say what the
# label stands for. Let 1 mean: this person said yes to an offer.

# %%
import io

import numpy as np
import pandas as pd

text = """age,gender,income,label
22,Male,25000,0
35,Female,45000,1
41,Male,78000,1"""
article = pd.read_csv(io.StringIO(text))

# %% [markdown]
# Three rows fit a thousand relations. You decree one of them. Each input is brought to
# a size of about 1 (age in decades from 40, income in steps of 20,000 from 50,000),
# multiplied by its **weight**, and added up to a score. A large score makes a yes
# likely: `sigmoid` turns the score into a chance between 0 and 1.
#
# The weights *are* the relation: income counts twice as much as age, gender nothing.

# %%
TRUTH = np.array([0.0, 1.0, 0.0, 2.0])  # of a constant 1, age, being male, income


def inputs(people):
    """The columns as numbers of about the same size."""
    decades, steps = (people["age"] - 40) / 10, (people["income"] - 50_000) / 20_000
    return np.column_stack([np.ones(len(people)), decades, people["gender"] == "Male", steps])


def sigmoid(score):
    return 1 / (1 + np.exp(-score))


print(article.assign(chance=sigmoid(inputs(article) @ TRUTH).round(2)).to_string(index=False))

# %% [markdown]
# The woman in the second row said yes against the odds. That is meant so: the relation
# gives a chance, and a label is one throw of that coin.
#
# Now as many people as you like. Income follows age a little; `tie` says how much, from
# 0 (not at all) to 1 (age alone decides). It will matter near the end.

# %%
from llmtrain101 import seeds


def grow(n, rng, tie=0.4):
    """n people, with labels drawn from the true relation."""
    age = rng.normal(40, 12, n).clip(18, 75).round().astype(int)
    wealth = tie * (age - 40) / 12 + (1 - tie**2) ** 0.5 * rng.standard_normal(n)
    income = (50_000 + 15_000 * wealth).clip(5_000).round().astype(int)
    gender = rng.choice(["Female", "Male"], n)
    people = pd.DataFrame({"age": age, "gender": gender, "income": income})
    chance = sigmoid(inputs(people) @ TRUTH)
    return people.assign(label=(rng.random(n) < chance).astype(int))


many = grow(100_000, seeds.rng(0, "many"))
print(many.head(2).to_string(index=False))

# %% [markdown]
# ## By hand: training on five rows
#
# A model of this shape, the sigmoid of a weighted sum, is called **logistic
# regression**. It starts out knowing nothing: all weights are 0. Give it the article's
# three rows and the two above.

# %%
five = pd.concat([article, many[:2]])
X, y = inputs(five), five["label"].to_numpy()


def loss(w):
    p = sigmoid(X @ w)  # the model's chance of a yes, for each row
    return -np.log(np.where(y == 1, p, 1 - p)).mean()  # where() picks what then happened


w = np.zeros(4)
print("chance of a yes:", sigmoid(X @ w))
print(f"loss: {loss(w):.3f}")

# %% [markdown]
# One half for everybody: it has no idea. The **loss** is the mean of `-log` of the
# chance that the model gave to what then happened. Had it been sure and right, it would
# be 0.
#
# To lower the loss, ask for each weight: were you a little larger, how would the loss
# change? These four slopes are the **gradient**; for this model they fit in one line.
# Which weight do you expect to move most?

# %%
gradient = X.T @ (sigmoid(X @ w) - y) / len(y)
after = w - 0.5 * gradient  # a step downhill; 0.5 is the learning rate
print("gradient:   ", gradient.round(3))
print("new weights:", after.round(3))
print(f"loss: {loss(after):.3f}")
assert loss(after) < loss(w)

# %% [markdown]
# A negative slope means: more weight, less loss. So that weight goes up. Is the line
# right? PyTorch finds slopes by itself. Both must agree, here at weights that are not
# 0.

# %%
import torch

v = torch.tensor(after, requires_grad=True)
score, label = torch.tensor(X) @ v, torch.tensor(y * 1.0)
torch.nn.functional.binary_cross_entropy_with_logits(score, label).backward()
np.testing.assert_allclose(v.grad.numpy(), X.T @ (sigmoid(X @ after) - y) / len(y))
print("our gradient equals PyTorch's")

# %% [markdown]
# Training is this step, many times.


# %%
def train(X, y, steps, rate=0.5):
    w = np.zeros(X.shape[1])
    for _ in range(steps):
        w = w - rate * X.T @ (sigmoid(X @ w) - y) / len(y)
    return w


for steps in (0, 10, 1_000, 100_000):
    trained = train(X, y, steps)
    correct = ((X @ trained > 0) == y).sum()
    print(f"{steps:>7,} steps: {correct} of 5 right, weights {trained.round(1)}")

# %% [markdown]
# As training, the last line is perfect: every row is right. As learning, it is a mess.
# Compare with `TRUTH`: gender, which counts nothing, has the largest weight. And all of
# them grow without end, since on rows that can all be got right, bolder always means
# less loss.
#
# With more rows the same code lands elsewhere. scikit-learn has this model too; on
# 2,000 rows both must find the same weights.

# %%
from sklearn.linear_model import LogisticRegression

X_many, y_many = inputs(many[:2_000]), many["label"].to_numpy()[:2_000]
ours = train(X_many, y_many, 5_000)
library = LogisticRegression(C=1e6, fit_intercept=False, tol=1e-8).fit(X_many, y_many)
np.testing.assert_allclose(ours, library.coef_[0], atol=1e-3)
print("2,000 rows:", ours.round(1), "  the truth:", TRUTH)

# %% [markdown]
# ## Look
#
# Age goes across, income goes up. Along the dashed line the true chance is one half;
# along the solid line the model's is. Training worked in all three pictures. Where did
# learning?

# %%
from llmtrain101 import table


def learnt_from(n, tie=0.4):
    people = grow(n, seeds.rng(1, "look"), tie)
    w = train(inputs(people), people["label"].to_numpy(), 3_000)
    return people, {"truth": TRUTH, "model": w}


course.figure(
    table.boundaries({f"{n:,} rows": learnt_from(n) for n in (15, 150, 15_000)}, inputs),
    "Three scatter plots of income against age, for 15, 150 and 15,000 rows. The dashed line of "
    "the truth falls from left to right. The model's solid line is far from it with 15 rows, near "
    "it with 150, and on it with 15,000, although the dots of both labels overlap in all three.",
)

# %% [markdown]
# Play with it: how many rows until the lines agree? And what becomes of the solid line
# when you push `tie` to 1, so that age alone decides the income?


# %%
def draw(rows=50, tie=0.4):
    return table.boundaries({f"{rows:,} rows": learnt_from(rows, tie)}, inputs)


course.play(
    draw,
    alt="Income against age for {rows} rows and a tie of {tie}, with the true and the learnt line.",
    rows=[15, 50, 150, 500, 5_000],
    tie=(0.0, 1.0, 0.1),
)

# %% [markdown]
# ### Two scores
#
# A model can be asked about the rows it was trained on, or about others. Only the
# second is what training promises. You know the relation, so you also know how good
# *any* model can be: even with the true weights in hand, some people surprise you. That
# is the **ceiling**.
#
# Guess first: with 16 rows, which of the two scores is higher? With more rows, do they
# rise or fall?


# %%
def accuracy(w, people):
    return ((inputs(people) @ w > 0) == people["label"]).mean()


runs = []
for n in (16, 64, 256, 1_024, 4_096):
    for seed in range(20):
        people = grow(n, seeds.rng(seed, f"{n} rows"))
        model = train(inputs(people), people["label"].to_numpy(), 500)
        runs.append(("rows it was trained on", n, accuracy(model, people)))
        runs.append(("rows it has not seen", n, accuracy(model, many[:20_000])))
two_scores = pd.DataFrame(runs, columns=["arm", "rows", "value"])

# %%
import matplotlib.pyplot as plt

from llmtrain101 import plots

chance = sigmoid(inputs(many) @ TRUTH)
ceiling = np.maximum(chance, 1 - chance).mean()
lines = {"ceiling": ceiling}
course.figure(
    plots.learning_curve(two_scores, x="rows", y_label="accuracy", x_label="rows", constants=lines),
    "Accuracy against the number of rows. On the rows trained on it starts far above the ceiling "
    "and falls to it. On unseen rows it starts below and rises. They meet at the ceiling.",
)
average = two_scores.groupby(["arm", "rows"])["value"].mean()
assert average["rows it was trained on", 16] > ceiling > average["rows it has not seen", 16]
course.within("ceiling", ceiling, 0.79, 0.81)

# %% [markdown]
# With few rows the training score is above the ceiling. No honest model can be: what
# lies above it is luck that was learnt by heart. As rows come in, both scores close in
# on the ceiling, one from each side.
#
# ## Claim 1: more training is not more learning
#
# You have 100 rows and time for 1,000 steps. Would you rather go over your rows again
# and again, or see 100 new ones at each step? The steps cost the same.
#
# To be kind to the first, every run is scored at the best of its 1,000 steps, as if
# somebody who knows the truth had told it when to stop. The measure is how far its
# weights are from the true ones.


# %%
def learn(seed, fresh, tie=0.4, measure="distance"):
    people = grow(100_000, seeds.rng(seed, "people"), tie)
    X, y = inputs(people).reshape(1_000, 100, 4), people["label"].to_numpy().reshape(1_000, 100)
    w, distances = np.zeros(4), []
    for step in range(1_000):
        batch = step if fresh else 0
        gradient = X[batch].T @ (sigmoid(X[batch] @ w) - y[batch]) / 100
        w = w - 0.3 * (1 - step / 1_000) * gradient  # the rate falls to 0
        distances.append(np.linalg.norm(w - TRUTH))
    found = {"distance": min(distances)}
    for town, town_tie in {"home": tie, "away": -0.9}.items():
        found[town] = accuracy(w, grow(20_000, seeds.rng(seed, town), town_tie))
    return found | {"value": found[measure]}


# %% [markdown]
# Write your guess down: by what factor will the distances differ?

# %%
from functools import partial

from llmtrain101.experiment import Claim

claim = Claim(
    "new rows at each step teach more of the relation than the same rows again",
    control="same rows",
    treatment="new rows",
    metric="distance of the weights from the true ones",
    smallest_effect=0.3,
    higher_is_better=False,
    lesson="01",
)
arms = {"same rows": partial(learn, fresh=False), "new rows": partial(learn, fresh=True)}
nothing = {"all weights 0": np.linalg.norm(TRUTH)}
learnt = claim.run(arms, seeds=range(12), constants=nothing, minutes=0.15)

# %%
course.figure(learnt.plot(), learnt.alt_text())
print(learnt.verdict)
course.varies(learnt.summary())

# %% [markdown]
# If yours says *supported*: the steps after the first few taught nothing that the
# hundred rows did not hold. Rows teach; steps only collect.
#
# Now the measure that everybody reports: how many unseen people of the same town did
# the two predict correctly? Guess again.

# %%
means = learnt.table.groupby("arm")[["distance", "home"]].mean()
same, new = means.loc["same rows"], means.loc["new rows"]
course.within("times nearer to the truth", same["distance"] / new["distance"], 10, 100)
course.within("unseen rows right, same rows", same["home"], 0.77, 0.8)
course.within("unseen rows right, new rows", new["home"], 0.785, 0.81)

# %% [markdown]
# A world of difference in what was learnt, and it hardly shows. A score on unseen rows
# says whether training worked. It does not look at the relation.
#
# ## Claim 2: the labels do the work
#
# Training adjusts a model. Do the labels make it predict unseen rows, or would any
# adjusting do? The control trains on the same rows with the same labels, dealt out at
# random. What they had to do with the inputs is gone; everything else stays.
#
# The model is now a network with some 17,000 weights, for 100 rows.

# %%
from torch import nn


def right(net, X, y):
    with torch.no_grad():
        return (net(X).argmax(1) == y).double().mean().item()


# %%
def adjust(net, parts, rate, decay=0.0, steps=1_000):
    """Train on one part of the rows; every 20 steps, note the accuracy on all parts."""
    X, y = parts["training"]
    adam = torch.optim.AdamW(net.parameters(), rate, betas=(0.9, 0.98), weight_decay=decay)
    curve = []
    for step in range(steps + 1):
        if step % 20 == 0:
            curve.append({"step": step} | {name: right(net, *part) for name, part in parts.items()})
        loss = nn.functional.cross_entropy(net(X), y)
        adam.zero_grad()
        loss.backward()
        adam.step()
    return curve


# %%
def network(seed, X, y, shuffle, n=100):
    """Train on n rows, with true or shuffled labels; the others are the unseen ones."""
    order = seeds.rng(seed, "split").permutation(len(y))
    X, y = torch.tensor(X[order], dtype=torch.float32), torch.tensor(y[order])
    labels = y[seeds.rng(seed, "shuffle").permutation(n)] if shuffle else y[:n]
    torch.manual_seed(seed)
    wide = [nn.Linear(X.shape[1], 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU()]
    net = nn.Sequential(*wide, nn.Linear(128, int(y.max()) + 1))
    last = adjust(net, {"training": (X[:n], labels), "unseen": (X[n:], y[n:])}, 0.003)[-1]
    return {"value": last["unseen"], "training": last["training"]}


town = {"X": inputs(many[:3_000]), "y": many["label"].to_numpy()[:3_000]}

# %% [markdown]
# Two baselines stand beside it: whatever label is more frequent, for everybody; and the
# 4 weights of claim 1, which had 100 rows too.
#
# Guess: with shuffled labels, how high does the accuracy on the *training* rows get?
# And on unseen ones?

# %%
labels = Claim(
    "a network predicts unseen rows better with true labels than with shuffled ones",
    control="shuffled labels",
    treatment="true labels",
    metric="accuracy on unseen rows",
    smallest_effect=0.1,
    lesson="01",
)
arms = {
    "shuffled labels": partial(network, shuffle=True, **town),
    "true labels": partial(network, shuffle=False, **town),
}
frequent = np.bincount(town["y"]).max() / len(town["y"])
beside = {"most frequent label": frequent, "4 weights": same["home"]}
by_heart = labels.run(arms, seeds=range(10), constants=beside, minutes=0.2)

# %%
course.figure(by_heart.plot(), by_heart.alt_text())
print(by_heart.verdict)
training = by_heart.table.groupby("arm")["training"].mean()
course.within("training rows right, true labels", training["true labels"], 0.97, 1)
course.within("training rows right, shuffled labels", training["shuffled labels"], 0.97, 1)
course.varies(by_heart.summary())

# %% [markdown]
# With labels that mean nothing, the network got (nearly) all its training rows right.
# So a training score says *nothing* about what was learnt: in a world without any
# relation it would be the same. To be right on rows without their relation is to
# **memorise** them.
#
# Look at the true labels too. The network has memorised those as well, with the
# surprises among them, and four weights beat it.
#
# ## Claim 3: from memorising to the rule
#
# Once the training rows are all right, is training over? Take a table whose relation is
# exact: the sum of two numbers below 41, counted round as on a clock of 41 hours. Of
# all the sums, 45 % are shown in training.
#
# The network takes each number as a column of its own, without order: nobody tells it
# that 4 comes after 3. It adds up weights, squares, and picks one of 41 answers.

# %%
from llmtrain101 import sums

columns, answers = sums.table(41)
for row in (50, 1_000):
    print(f"{row // 41} + {row % 41} = {answers[row]} (mod 41)")

# %% [markdown]
# The treatment is one number. **Weight decay** takes, at each step, a small share off
# every weight, so that only what the gradient keeps asking for stays large. The control
# has it at 0.


# %%
def rule(seed, decay, share=0.45):
    split = sums.split(41, share, seed=seed)
    parts = {name: (columns[rows], answers[rows]) for name, rows in split.items()}
    curves = []
    for rate in (0.001, 0.003, 0.01):
        torch.manual_seed(seed)
        first, last = nn.Linear(82, 96, bias=False), nn.Linear(96, 41, bias=False)
        curves.append(adjust(nn.Sequential(first, sums.Square(), last), parts, rate, decay))
    best = max(curves, key=lambda curve: curve[-1]["check"])
    return {"value": best[-1]["unseen"], "curve": best}


# %% [markdown]
# Which learning rate is best may depend on the decay, and a control with a poor one
# makes any treatment shine. So both arms try the same three, and keep the one that does
# best on sums set aside for this.
#
# The baseline knows only that 3 + 8 is 8 + 3: it looks a sum up the other way round
# among the training rows, and otherwise says 0.

# %%
find_rule = Claim(
    "weight decay makes a network find the rule behind sums that it has memorised",
    control="no decay",
    treatment="decay",
    metric="accuracy on sums never shown",
    smallest_effect=0.2,
    lesson="01",
)
decays = {"no decay": partial(rule, decay=0.0), "decay": partial(rule, decay=1.0)}

# %% [markdown]
# Guess twice. What does the control score on sums that it was never shown? And how many
# times as long as the training sums do the unseen ones take, with decay?

# %%
baseline = {"other way round": lambda seed: sums.other_way_round(41, 0.45, seed=seed)}
found = find_rule.run(decays | baseline, seeds=range(8), minutes=0.5)

# %%
course.figure(found.plot(), found.alt_text())
print(found.verdict)
course.varies(found.summary())

# %% [markdown]
# And on the way there, for the first seed:

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
for ax, part in zip(axes, ("training", "unseen"), strict=True):
    paths = {arm: found.details[arm, 0]["curve"] for arm in decays}
    plots.loss_curves(paths, ax, y=part, y_label="accuracy", title=f"{part} sums")
course.figure(
    figure,
    "Accuracy by step, two panels. On the training sums both runs are all right soon after the "
    "start. On the unseen sums the run with decay climbs much later, to nearly all; the one "
    "without stays low to the end.",
)


# %%
def step_of(part, seed):
    """The first step at which 95 % of a part were right."""
    curve = found.details["decay", seed]["curve"]
    return next(row["step"] for row in curve if row[part] >= 0.95)


ratios = [step_of("unseen", seed) / step_of("training", seed) for seed in found.seeds]
course.within("times as long, unseen against training sums", np.mean(ratios), 4, 30)

# %% [markdown]
# For most of the run with decay, every sign that you see in training says *finished*.
# The rule comes later. This delay has a name, **grokking**.
#
# "First cramming, then understanding": where does that analogy break? Nothing in the
# network decides to understand. The usual account: knowing a sum by heart takes weights
# of its own, and all sums together large ones; a rule serves all sums with the same
# weights. Decay charges for size at each step, until the cheaper solution has won.
#
# ## When it does not help
#
# ### Too few rows for a rule, or so many that it needs no help
#
# The same claim with 15 % of the sums shown instead of 45 %, then with 90 %. Guess both
# verdicts.

# %%
from dataclasses import replace

ends = {}
for share in (0.15, 0.9):
    end = replace(find_rule, prediction=f"{find_rule.prediction}, {share:.0%} of them shown")
    shown = {name: partial(arm, share=share) for name, arm in decays.items()}
    ends[share] = end.run(shown, seeds=range(5), minutes=share / 3)
    print(f"{share:.0%} shown: {ends[share].verdict}")
    course.varies(ends[share].summary())

# %% [markdown]
# The same two words, for opposite reasons: at one end neither arm finds the rule, at
# the other both do. With few sums, the account goes on, small weights can memorise too,
# and nothing points to the rule. With many, memorising each sum is no longer the easy
# way. A treatment helps between "cannot" and "need not".
#
# ### Rows that cannot tell
#
# Claim 1 said that new rows teach. Send both models to another town, where the old earn
# less than the young. The relation there is your `TRUTH`, as ever.
#
# First they learn in a mixed town, as before. Then they learn in a firm with a pay
# scale: age alone decides the income (`tie=1`). Guess both verdicts.

# %%
away = Claim(
    "new rows at each step prepare better for another town than the same rows again",
    control="same rows",
    treatment="new rows",
    metric="accuracy on 20,000 rows of another town",
    smallest_effect=0.02,
    lesson="01",
)

# %%
moved = {}
for place, tie in {"a mixed town": 0.4, "one pay scale": 1.0}.items():
    claim = replace(away, prediction=f"{away.prediction}, if all are from {place}")
    settings = {"tie": tie, "measure": "away"}
    arms = {
        "same rows": partial(learn, fresh=False, **settings),
        "new rows": partial(learn, fresh=True, **settings),
    }
    moved[place] = claim.run(arms, seeds=range(40), minutes=0.1)
    print(f"rows from {place}: {moved[place].verdict}")
    course.varies(moved[place].summary())

# %%
tied = (
    moved["one pay scale"].table.groupby("arm")[["distance", "home", "away"]].mean().loc["new rows"]
)
firm = sigmoid(inputs(grow(100_000, seeds.rng(0, "firm"), tie=1.0)) @ TRUTH)
below = 100 * (np.maximum(firm, 1 - firm).mean() - tied["home"])
course.within("pay scale, points below the ceiling at home", below, -0.5, 0.5)
course.within("pay scale, rows of another town", tied["away"], 0.48, 0.53)
course.within("pay scale, distance from the true weights", tied["distance"], 1.1, 1.25)

# %% [markdown]
# At home it is at the ceiling of that firm: by the measure that training promises,
# nothing could be better. In the other town a coin does as well. On the pay scale, age
# and income move together, so that a hundred thousand rows cannot say which of the two
# counts. The model shares the credit out between them, and no score at home will ever
# object.
#
# So rows teach the relation *where they can tell*. Before you trust a score, ask what
# always moves together in your data, and whether it will where the model is to work.
#
# ## Exercises
#
# ### 01.1 Read the relation off the weights
#
# "At which income does your model say one half?" Answer from the weights `w` (in the
# order of `TRUTH`) for somebody of this age, with `male` 1 or 0. It is where the score,
# before `sigmoid`, is 0. Give an income as in the table, not in steps of 20,000.


# %% tags=["exercise-01.1", "starter"]
def tipping_income(w, age, male):
    return ...


# %% tags=["exercise-01.1", "solution"]
def tipping_income(w, age, male):
    others = w[0] + w[1] * (age - 40) / 10 + w[2] * male
    return 50_000 - 20_000 * others / w[3]


# %%
course.check("01.1", tipping_income)

# %% [markdown]
# ### 01.2 Shuffle
#
# Write the control of claim 2: the same labels in random order, drawn with the
# generator `rng`. Whoever hands you their labels still needs them: leave the array as
# it is.


# %% tags=["exercise-01.2", "starter"]
def shuffled(labels, rng):
    return ...


# %% tags=["exercise-01.2", "solution"]
def shuffled(labels, rng):
    return rng.permutation(labels)


# %%
course.check("01.2", shuffled)

# %% [markdown]
# ### 01.3 A step with weight decay
#
# The treatment of claim 3: go downhill along the gradient, and take the share
# `rate * decay` off every weight, as `AdamW` does. Give back the new weights; the old
# ones stay as they are.


# %% tags=["exercise-01.3", "starter"]
def decay_step(w, gradient, rate, decay):
    return ...


# %% tags=["exercise-01.3", "solution"]
def decay_step(w, gradient, rate, decay):
    return w - rate * gradient - rate * decay * w


# %%
course.check("01.3", decay_step)

# %% [markdown]
# ### Quiz
#
# The right answers are computed from the runs above.

# %%
quiz = course.Quiz("01")
quiz.ask(
    "A network has all its training rows right. What does that say about unseen ones?",
    ["It will have most of them right.", "Nothing yet.", "It will do no better than chance."],
    answer=int(training["shuffled labels"] > 0.97 and by_heart.difference > 0.1),
    why="True or shuffled labels: the same on training rows, far apart on unseen ones.",
)
distances = [same["distance"], new["distance"], tied["distance"]]
quiz.ask(
    "Which of these came nearest to the true weights?",
    ["100 rows, 1,000 times", "100,000 rows of a mixed town", "100,000 rows of one pay scale"],
    answer=np.argmin(distances),
    why="Many rows, in which age and income do not always move together.",
)
rows = {row["step"]: row for row in found.details["decay", 0]["curve"]}
quiz.ask(
    "With decay, when 95 % of the training sums were right, how many unseen ones were?",
    ["fewer than a third", "about half", "more than two thirds"],
    answer=np.digitize(rows[step_of("training", 0)]["unseen"], [1 / 3, 2 / 3]),
    why="The rule came later: this delay is called grokking.",
)
quiz.show()

# %% [markdown]
# ## On your own data
#
# Claim 2 needs no known truth: it runs on any table with a column of labels. So that
# there is a file at hand, the first cell writes one. In the second, put the path of a
# CSV file of yours. It may lack a line of names, hold texts and gaps, and be large:
# 2,000 of its rows are drawn.

# %%
import tempfile
from pathlib import Path

example = Path(tempfile.mkdtemp()) / "offers.csv"
many[:1_000].to_csv(example, index=False)

# %%
MY_FILE = example  # ← the line to change, for example "people.csv"

X_own, y_own = table.read_csv(MY_FILE)  # the label is the last column; else say label="name"
own = replace(labels, prediction="true labels predict unseen rows of a table of mine")
own = replace(own, smallest_effect=0.05)
settings = {"X": X_own, "y": y_own, "n": min(300, len(y_own) // 2)}
arms = {
    "shuffled labels": partial(network, shuffle=True, **settings),
    "true labels": partial(network, shuffle=False, **settings),
}
beside = {"most frequent label": np.bincount(y_own).max() / len(y_own)}
mine = own.run(arms, seeds=range(5), constants=beside, minutes=0.1)
print(mine.verdict)
course.varies(mine.summary())

# %% [markdown]
# *Supported* means that there is a relation, and that training found enough of it to
# predict. It does not say which one: your table may have a pay scale of its own. *No
# effect found* means that the inputs do not tell, that there are too few rows, or that
# one label is so frequent that nothing beats saying it always.
#
# ## Further
#
# - Zhang and others (2017), [arXiv:1611.03530](https://arxiv.org/abs/1611.03530), table
#   1: an Inception network on 50,000 images of 10 kinds, without regularisation. True
#   labels: 100 % on training images, 85.75 % on unseen ones. Random labels: 100 % and
#   9.78 %.
# - Power and others (2022), [arXiv:2201.02177](https://arxiv.org/abs/2201.02177): a
#   Transformer on division modulo 97, half of the table shown. Training answers near
#   100 % before 1,000 steps, unseen ones near 100 % close to 1,000,000. Weight decay
#   more than halved the rows that were needed.
# - Liu and others (2022), [arXiv:2210.01117](https://arxiv.org/abs/2210.01117): the
#   time to the rule goes as 1 / weight decay.
#
# Ours beside them:

# %%
for arm in ("true labels", "shuffled labels"):
    unseen = np.mean(by_heart.values[arm])
    course.varies(f"{arm}: {training[arm]:.1%} on training rows, {unseen:.1%} on unseen ones")
steps = [np.mean([step_of(part, seed) for seed in found.seeds]) for part in ("training", "unseen")]
course.varies("with decay, 95 % right after {:.0f} and {:.0f} steps".format(*steps))

# %% [markdown]
# **What carries over** to a model with a million times the weights: that a training
# score proves nothing, that shuffled labels are the control to run, and that rows which
# cannot tell two causes apart never will. **What does not**: nobody knows the true
# relation there, so that your best instrument, the distance from it, is gone. A delay as
# long as this is seen mostly on small, exact tables. And the right amount of decay is
# another one for each model.

# %%
course.promises_kept("01")
