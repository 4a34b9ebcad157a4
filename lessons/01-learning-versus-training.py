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
    "read a relation off a model's weights, in the units of the table",
    "shuffle labels fairly: the control that tells whether a score comes from them",
    "write a training step with weight decay, as `AdamW` does it",
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
#
# A word in bold is explained where it stands, and again in `docs/glossary.md`.

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
# along the solid line the model's is. (The model gets all the rows; at most 300 of them
# are drawn, or the lines would be hidden.) Training worked in all three pictures. Where
# did learning?

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
    "it with 150, and on it with 15,000, although the dots of both labels overlap in all three. Of "
    "the 15,000 rows a sample is drawn.",
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
luck = [accuracy(TRUTH, grow(16, seeds.rng(seed, "16 rows"))) for seed in range(20)]
course.within("the true weights on 16 rows, mean of 20 samples", np.mean(luck), 0.74, 0.84)
course.within("samples in which they are above the ceiling", np.sum(luck > ceiling), 6, 15)

# %% [markdown]
# With few rows the mean training score is far above the ceiling. The last lines tell
# what that is worth. On 16 rows even the true weights are above the ceiling about half
# of the time, by luck; on average they are near it. A model whose *mean* lies clearly
# above has learnt the luck of its own rows by heart. As rows come in, both scores close
# in on the ceiling, one from each side.
#
# ## Claim 1: more training is not more learning
#
# You have 100 rows and time for 1,000 steps. Would you rather go over your rows again
# and again, or see 100 new ones at each step? The steps cost the same.
#
# The measure is how far the weights are from the true ones. To be kind to the first
# way, every run keeps the best weights of its 1,000 steps, as if somebody who knows the
# truth had told it when to stop.


# %%
def learn(seed, fresh, tie=0.4, measure="distance"):
    people = grow(100_000, seeds.rng(seed, "people"), tie)
    X, y = inputs(people).reshape(1_000, 100, 4), people["label"].to_numpy().reshape(1_000, 100)
    path = [np.zeros(4)]  # the weights after each step
    for step in range(1_000):
        batch, w = step if fresh else 0, path[-1]
        gradient = X[batch].T @ (sigmoid(X[batch] @ w) - y[batch]) / 100
        path.append(w - 0.3 * (1 - step / 1_000) * gradient)  # the rate falls to 0
    distances = np.linalg.norm(path - TRUTH, axis=1)
    best = int(distances.argmin())
    noted = (1, 3, 10, 30, 100, 300, 1_000)
    curve = [{"step": step, "distance": distances[step]} for step in noted]
    found = {"distance": distances[best], "best step": best, "curve": curve}
    for town, town_tie in {"home": tie, "away": -0.9}.items():
        found[town] = accuracy(path[best], grow(20_000, seeds.rng(seed, town), town_tie))
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
print(learnt.verdict)
course.varies(learnt.summary())
rows = [{"arm": arm} | row for (arm, _), run in learnt.details.items() for row in run["curve"]]
noted = pd.DataFrame(rows)
course.figure(
    plots.learning_curve(noted, x="step", y="distance", x_label="step", y_label="distance"),
    "Distance from the true weights against the step, a dot for each seed. Both arms fall alike "
    "for some tens of steps. New rows go on falling to the end. The same rows turn and rise.",
)
best_step = learnt.table.groupby("arm")["best step"].median()
course.within("best step of the same rows, median", best_step["same rows"], 60, 400)
course.within("best step of the new rows, median", best_step["new rows"], 400, 900)

# %% [markdown]
# If yours says *supported*: the hundred rows gave what they had in the steps up to the
# best one. Later steps had nothing new to go by. In most runs they even led away from
# the truth, towards what is peculiar to these hundred people. What a model can learn
# lies in its rows; a step can only bring it out.
#
# Now the measure that everybody reports: how many unseen people of the same town did
# the two predict correctly? Guess again.

# %%
means = learnt.table.groupby("arm", sort=False)[["distance", "home"]].mean()
same, new = means.loc["same rows"], means.loc["new rows"]
course.varies(means.rename(columns={"home": "unseen rows right"}).round(3))
course.within("times nearer to the truth", same["distance"] / new["distance"], 10, 100)
course.within("points more of unseen rows", 100 * (new["home"] - same["home"]), 0, 3)

# %% [markdown]
# The new rows lead many times nearer to the truth, and to a point or so of accuracy. A
# score on unseen rows says whether training worked. It does not look at the relation.
#
# ## Claim 2: the labels do the work
#
# Training adjusts a model. Do the labels make it predict unseen rows, or would any
# adjusting do? The control trains on the same rows with the same labels, dealt out at
# random. What they had to do with the inputs is gone; everything else stays.
#
# The model is now a network with some 17,000 weights, for 100 rows. A *network* is
# weighted sums of weighted sums: each `nn.Linear` below makes so many sums of its
# inputs, and the `nn.ReLU` behind it replaces the negative ones by 0, without which the
# whole would be one weighted sum again. The last layer gives each label a score.
#
# The loop is the one that you know. PyTorch finds the slopes (`backward`) and takes the
# step; its `AdamW` divides each slope by how large such slopes have been lately, so that
# all weights move at about the same pace.

# %%
from torch import nn


def right(net, X, y):
    with torch.no_grad():  # no slopes are wanted here
        return (net(X).argmax(1) == y).double().mean().item()  # the label with the largest score


# %%
def adjust(net, parts, rate, decay=0.0, steps=1_000):
    """Train on one part of the rows; every 20 steps, note the accuracy on all parts."""
    X, y = parts["training"]
    adam = torch.optim.AdamW(net.parameters(), rate, betas=(0.9, 0.98), weight_decay=decay)
    curve = []
    for step in range(steps + 1):
        if step % 20 == 0:
            curve.append({"step": step} | {name: right(net, *part) for name, part in parts.items()})
        loss = nn.functional.cross_entropy(net(X), y)  # scores to chances, then the mean -log
        adam.zero_grad()  # forget the slopes of the step before
        loss.backward()  # the slope of the loss for every weight
        adam.step()  # move every weight downhill, and take the decay off it
    return curve


# %%
def network(seed, X, y, shuffle, n=100):
    """Train on n rows, with true or shuffled labels; the others are the unseen ones."""
    order = seeds.rng(seed, "split").permutation(len(y))
    X, y = torch.tensor(X[order], dtype=torch.float32), torch.tensor(y[order])
    labels = y[seeds.rng(seed, "shuffle").permutation(n)] if shuffle else y[:n]
    torch.manual_seed(seed)  # the weights start as small random numbers
    wide = [nn.Linear(X.shape[1], 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU()]
    net = nn.Sequential(*wide, nn.Linear(128, int(y.max()) + 1))  # one layer after the other
    last = adjust(net, {"training": (X[:n], labels), "unseen": (X[n:], y[n:])}, 0.003)[-1]
    return {"value": last["unseen"], "training": last["training"]}


town = {"X": inputs(many[:3_000]), "y": many["label"].to_numpy()[:3_000]}

# %% [markdown]
# Two baselines stand beside it: whatever label is more frequent, for everybody; and the
# 4 weights of claim 1, which had 100 rows too. (Those had help: they were stopped at the
# step nearest to the truth, and are scored on other people of the town.)
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
# So a training score says *nothing* about what was learnt: where there is no relation
# to be found, it is as high. To be right on rows without having their relation is to
# **memorise** them.
#
# Look at the true labels too. The network has memorised those as well, and with them
# the people who answered against the odds. On unseen rows, four weights, stopped in time
# by somebody who knows the truth, are ahead of it.
#
# ## Claim 3: from memorising to the rule
#
# Once the training rows are all right, is training over? Take a table whose relation is
# exact: the sum of two numbers below 41, counted round as on a clock of 41 hours. Of
# all the sums, 45 % are shown in training.
#
# Each value of each number has a column of its own, so that nobody tells the network
# that 4 comes after 3. It has two layers, with a square between them in place of
# `nn.ReLU`, and gives each of the 41 answers a score.

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
    "start. On the unseen sums the run with decay begins to climb then, without a pause, and "
    "takes several times as long to get nearly all; the one without decay stays low to the end.",
)


# %%
def first(part, seed):
    """What was noted at the first step at which 95 % of a part were right."""
    curve = found.details["decay", seed]["curve"]
    return next(row for row in curve if row[part] >= 0.95)


ratios = [first("unseen", seed)["step"] / first("training", seed)["step"] for seed in found.seeds]
course.within("times as long, unseen against training sums", np.mean(ratios), 4, 30)
then = [first("training", seed)["unseen"] for seed in found.seeds]
course.within("unseen sums right when 95 % of the training sums were", np.mean(then), 0, 0.15)

# %% [markdown]
# With decay, the training accuracy says *finished* while nearly all unseen sums are
# still wrong. The rule grows from then on, step by step, and is complete only after
# several times as many steps. This delay has a name, **grokking**. (In the paper that
# named it, the unseen answers stay wrong for very long before they rise at all. In ours
# there is no such pause.)
#
# "First cramming, then understanding": where does that analogy break? Nothing in the
# network decides to understand. The usual account is this. To know a sum by heart takes
# weights that serve this sum alone, and many sums need large ones. A rule serves all
# sums with the same weights. Decay shrinks every weight at each step, so that in the end
# the solution that needs less of them is left.
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
# If both say *no effect found*, it is the same verdict for opposite reasons: at one end
# neither arm finds the rule, at the other both do. With few sums, the account goes on,
# small weights are enough to memorise them, and nothing points to the rule. With many,
# it is easier to find the rule than to memorise each sum. Decay helps in between, where
# the rule can be found but need not be.
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
# If you are stuck, before a check or after it: `course.hint("01.1")` in a cell of its
# own gives a hint, and one more each time; `course.solution("01.1")` shows a way.
#
# ### 01.1 Read the relation off the weights
#
# (8 min, difficulty ●●○) "At which income does your model say one half?" Answer from
# the weights `w` (in the order of `TRUTH`) for somebody of this age, with `male` 1 or 0.
# It is where the score, before `sigmoid`, is 0. Give an income as in the table, not in
# steps of 20,000.


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
# (5 min, difficulty ●○○) Write the control of claim 2: the same labels in random order,
# drawn with the generator `rng`. Whoever hands you their labels still needs them: leave
# the array as it is.


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
# (8 min, difficulty ●●○) The treatment of claim 3: go downhill along the gradient, and
# take the share `rate * decay` off every old weight, as `AdamW` does. Give back the new
# weights; the array of the old ones stays as it is.


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
quiz.ask(
    "With decay, when 95 % of the training sums were right, how many unseen ones were?",
    ["fewer than a third", "about half", "more than two thirds"],
    answer=np.digitize(first("training", 0)["unseen"], [1 / 3, 2 / 3]),
    why="The rule took several times as long: this delay is called grokking.",
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
from dataclasses import replace

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
# predict. It does not say which one: in your table, too, two columns may always move
# together. *No effect found* can mean that the inputs say nothing about the label, that
# there are too few rows, or that one label is so frequent that nothing beats saying it
# always.
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
steps = [np.mean([first(p, seed)["step"] for seed in found.seeds]) for p in ("training", "unseen")]
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
