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
# # Semi-supervised learning

# %%
from llmtrain101 import course

course.start("08")
course.promises(
    "08",
    "let a classifier label the rest, and see it talk itself into errors",
    "choose which texts to label next, and say when choosing pays",
    "read off a curve how many labels were saved",
    minutes=60,
    before="Lesson 07, for the docstrings and the word F1.",
)

# %% [markdown]
# "A small portion of the data is manually labeled, and the remaining data is
# automatically labeled", says the article; it "can be a more efficient way to label large
# datasets". The few labels train a classifier; the classifier labels the rest; and then it
# is trained again, on its own labels. This is **self-training**.
#
# It should puzzle you. Where is the new information? The classifier knows what it has
# been told, and now it tells itself. You will see it gain much in this way, and then, from
# the same labels, lose much. Then you turn it round: let the classifier *ask*.

# %% [markdown]
# ## By hand: five rounds
#
# Two hundred dots in two long clouds, one above the other. Two dots are labelled, one in
# each, and not quite in the middle. The border lies halfway between them.

# %%
import numpy as np
from sklearn.linear_model import LogisticRegression

from llmtrain101 import seeds

kind = np.repeat([0, 1], 100)
noise = seeds.rng(0, "clouds").normal(size=(200, 2))
dots = noise * [2.0, 0.5] + np.where(kind, 1.0, -1.0)[:, None] * [0, 2]


def two(distance):
    """A dot of each cloud, so far to the left and to the right of the middle."""
    return [
        int(np.abs(dots[:100, 0] + distance).argmin()),
        100 + int(np.abs(dots[100:, 0] - distance).argmin()),
    ]


given = two(1.5)
rest = np.setdiff1d(np.arange(200), given)
first = LogisticRegression().fit(dots[given], kind[given])
print(f"right with two labels: {first.score(dots, kind):.2f}")

# %% [markdown]
# Now five rounds. Label all dots, keep the labels of which the model is sure, train on
# these and the two. A label that the model has given itself is called a **pseudo-label**.
# Guess: does the border turn the right way, or does it stay where it is?

# %%
model = first
for _ in range(5):
    chances = model.predict_proba(dots[rest])
    sure = chances.max(axis=1) >= 0.8
    own = model.classes_[chances.argmax(axis=1)]
    X = np.concatenate([dots[given], dots[rest][sure]])
    y = np.concatenate([kind[given], own[sure]])
    model = LogisticRegression().fit(X, y)
print(f"right after five rounds: {model.score(dots, kind):.2f}")

# %% [markdown]
# The library's function does this, and keeps a history. It must find the same border:

# %%
from llmtrain101.labels.self_training import self_train

found = self_train(
    LogisticRegression(), dots[given], kind[given], dots[rest], threshold=0.8, rounds=5
)
np.testing.assert_allclose(found.classifier.coef_, model.coef_, atol=1e-3)
print("ten lines and the library: the same border")

# %% [markdown]
# ## Look
#
# The dots have no labels, but they lie somewhere. That is the information: *where the
# inputs are*. Self-training moves the border out of the crowd. It is right to do so if
# the classes lie in crowds with a gap between them.

# %%
import matplotlib.pyplot as plt

from llmtrain101 import plots


def border(ax, model, title):
    color = [plots.style(int(k)).color for k in kind]
    ax.scatter(*dots.T, s=12, c=color, linewidths=0)
    for k in (0, 1):
        style = plots.style(k)
        ax.scatter(*dots[given[k]], s=130, c=style.color, marker=style.marker, edgecolor="black")
    (a, b), c = model.coef_[0], model.intercept_[0]
    ax.axline((0, -c / b), slope=-a / b, color="black", linestyle="--")
    ax.set(title=title, xlim=(-6, 6), ylim=(-4.5, 4.5), xticks=[], yticks=[])


figure, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
border(axes[0], first, "two labels")
border(axes[1], model, "after five rounds")
course.figure(
    figure,
    "Two long clouds of dots, one above the other, each with a labelled dot: on the left in one, "
    "on the right in the other. With two labels the border is tilted and cuts through both clouds. "
    "After five rounds it lies in the gap.",
)

# %% [markdown]
# Play with it: how sure must it be before it takes a label of its own? And what if the two
# labelled dots lie further out? Find a setting in which five rounds do harm.


# %%
def play(threshold=0.8, distance=1.5):
    few = two(distance)
    start = (dots[few], kind[few])
    own = self_train(LogisticRegression(), *start, dots, threshold=threshold, rounds=5)
    right = {"two labels": LogisticRegression().fit(*start).score(dots, kind)}
    right["after five rounds"] = own.classifier.score(dots, kind)
    return plots.bars(right, x_label="share of the dots that are right")


course.play(
    play,
    alt="Bars: dots right before and after five rounds, threshold {threshold}, {distance} out.",
    threshold=(0.5, 0.95, 0.05),
    distance=(0.0, 3.0, 0.5),
)

# %% [markdown]
# ## Real text
#
# The docstrings of lesson 07: which of four packages is it from? Words are counted (is
# it there or not), and weighed (TF-IDF).

# %%
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from llmtrain101 import sources

PACKAGES = ["matplotlib", "pandas", "sklearn", "torch"]
table = sources.docstrings([*PACKAGES, "transformers"])
table["text"] = [" ".join(text.split()[:60]) for text in table.text]
table = table[table.text.str.len() >= 40]
table["part"] = sources.split(table, seed=0, fractions=(0.6, 0.1, 0.3), unique=True)


def part(name, packages, each):
    rows = table[(table.part == name) & table.package.isin(packages)]
    rows = rows.groupby("package").sample(each, random_state=0)
    return list(rows.text), np.array([packages.index(package) for package in rows.package])


def prepared(texts, gold, test_texts, test_gold):
    data = {"gold": gold, "test gold": test_gold}
    count, weigh = (
        CountVectorizer(min_df=2, binary=True),
        TfidfVectorizer(min_df=2, sublinear_tf=True),
    )
    for name, vector in {"counts": count, "tf-idf": weigh}.items():
        data[name] = vector.fit_transform(texts), vector.transform(test_texts)
    return data, count


data, count = prepared(*part("train", PACKAGES, 800), *part("test", PACKAGES, 200))
strangers = count.transform(part("train", ["transformers"], 1_600)[0])

# %% [markdown]
# ## Claim 1: its own labels make it better
#
# Forty labels by hand, 1,600 texts without. The classifier is **naive Bayes**: it counts
# how often each word occurs in each class and multiplies up, as if words came
# independently. It is quick, and much too sure of itself.
#
# Self-training fits the classifier up to eleven times. So that it is not the fitting
# that helps, a third arm fits it ten times on the forty labels, each time on another
# draw from them, and averages. Logistic regression on the same forty stands beside.

# %%
from functools import partial

from sklearn.ensemble import BaggingClassifier
from sklearn.metrics import accuracy_score
from sklearn.naive_bayes import MultinomialNB

LOGISTIC = LogisticRegression(C=10, max_iter=300)
WEIGHTED = LogisticRegression(C=10, max_iter=300, class_weight="balanced")


def commonest(labels):
    """The share of the commonest one."""
    return float(np.unique(labels, return_counts=True)[1].max(initial=0) / max(1, len(labels)))


def halves(seed, how, data, n=40, model=None, kind="counts", others=None, score=accuracy_score):
    """The score of a classifier from n labels, and what happened in its rounds."""
    model = model or BAYES
    rng = seeds.rng(seed, "texts")
    order = rng.permutation(len(data["gold"]))
    few, rest = order[:n], order[n : n + 1_600]
    asked = rng.permutation(len(data["test gold"]))[:400]
    (X, test), gold = data[kind], data["gold"]
    if how == "labels alone":
        done, told = model.fit(X[few], gold[few]), {}
    elif how == "ten fits":
        done, told = BaggingClassifier(model, 10, random_state=seed).fit(X[few], gold[few]), {}
    else:
        threshold = {"no threshold": None}.get(
            how, 0.9 if isinstance(model, MultinomialNB) else 0.5
        )
        pool, truth = (X[rest], gold[rest]) if others is None else (others, None)
        result = self_train(model, X[few], gold[few], pool, threshold=threshold, gold=truth)
        done, told = result.classifier, result.history.fillna(0).to_dict("list")
        chances = model.fit(X[few], gold[few]).predict_proba(pool)
        heard = model.classes_[chances.argmax(axis=1)][chances.max(axis=1) >= (threshold or 0)]
        told |= {"first": commonest(heard), "last": commonest(result.labels[result.chosen])}
    return told | {"value": float(score(data["test gold"][asked], done.predict(test[asked])))}


# %% [markdown]
# Naive Bayes has one setting, its smoothing: what a word counts that a class has not shown
# yet. It is chosen on texts of its own, the validation part, and for the labels alone: if
# the choice favours an arm, it favours the control.

# %%
import pandas as pd

check, _ = prepared(*part("train", PACKAGES, 800), *part("validation", PACKAGES, 200))
tried = pd.DataFrame({
    how: {
        smoothing: np.mean([
            halves(seed, how, check, model=MultinomialNB(alpha=smoothing))["value"]
            for seed in range(100, 106)
        ])
        for smoothing in (0.01, 0.03, 0.1, 0.3, 1.0)
    }
    for how in ("labels alone", "self-training")
})  # fmt: skip
best = tried["labels alone"].idxmax()
BAYES = MultinomialNB(alpha=best)
course.varies(f"{tried.round(3).to_string()}\nbest for the labels alone: {best}")

# %% [markdown]
# The last row is scikit-learn's default. With it, by the mean of six draws, self-training
# does harm: who tries no other smoothing believes the opposite.
#
# A last arm, *dealt words*, asks what there is to learn from texts without labels. It
# gets the same words, each in as many texts as before, but *which* texts is drawn: no
# word goes with another. The first of these texts, in the order of the alphabet, for a
# bag has no other, begins:

# %%
from itertools import pairwise


def dealt(counts, rng):
    """The words of these texts dealt out anew, each to as many texts as before."""
    mixed = counts.tocsc(copy=True)
    for start, end in pairwise(mixed.indptr):
        mixed.indices[start:end] = rng.choice(mixed.shape[0], end - start, replace=False)
    return mixed.tocsr()


jumble = dealt(data["counts"][0], seeds.rng(0, "dealt"))[:1_600]
course.varies(" ".join(count.inverse_transform(jumble[:1])[0][:12]))

# %% [markdown]
# Guess: with 40 labels, and then with 1,600 labels beside as many texts without.

# %%
from dataclasses import replace

from llmtrain101.experiment import Claim, paired_interval

helps = Claim(
    "a classifier trained on its own labels too is better than one trained on the labels alone",
    control="labels alone",
    treatment="self-training",
    metric="accuracy on unseen docstrings",
    smallest_effect=0.05,
    lesson="08",
)
taught = {}
for n in (40, 1_600):
    arms = {
        how: partial(halves, how=how, data=data, n=n)
        for how in ("labels alone", "self-training", "no threshold", "ten fits")
    }
    arms["dealt words"] = partial(arms["self-training"], others=jumble)
    other = {"model": WEIGHTED, "kind": "tf-idf"}
    arms["logistic regression"] = partial(halves, how="labels alone", data=data, n=n, **other)
    claim = replace(helps, prediction=f"{helps.prediction}, {n:,} labels")
    taught[n] = claim.run(arms, seeds=range(12), minutes=0.15)
    print(f"{n:,} labels: {taught[n].verdict}")
    course.varies(taught[n].summary())

# %%
course.figure(taught[40].plot(plt.subplots(figsize=(11.5, 4))[1]), taught[40].alt_text())

# %% [markdown]
# Where does the gain come from? Look how far two pairs of arms lie apart, and how many of
# the words in the test texts have been seen with a label.


# %%
def apart(results, better, worse):
    """By how much one arm beats another, seed by seed, with the 95 % interval."""
    values = results.values
    mean, *ends = paired_interval(np.subtract(values[better], values[worse]))
    return "{} against {}: {:+.3f} ({:+.3f} to {:+.3f})".format(better, worse, mean, *ends)


for n, results in taught.items():
    for pair in (("dealt words", "labels alone"), ("self-training", "no threshold")):
        course.varies(f"{n:,} labels, {apart(results, *pair)}")
    (X, test), seen = data["counts"], []
    for seed in results.seeds:
        few = seeds.rng(seed, "texts").permutation(len(data["gold"]))[:n]  # as in `halves`
        seen.append((test @ (X[few].getnnz(axis=0) > 0)).sum() / test.nnz)
    low, high = {40: (0.55, 0.7), 1_600: (0.97, 1)}[n]
    course.within(f"{n:,} labels, words seen with a label", np.mean(seen), low, high)

# %% [markdown]
# With forty labels, more than a third of the words in the test texts (of those that two
# or more of the texts to learn from hold) have never been seen with a label. A text that
# says *axes* and *colormap* is labelled for its *axes*, and from then on *colormap*
# counts too. So the new information is which words go together: dealt out anew, the same
# words only do harm. Ten fits on the same forty labels cannot have it. With 1,600 labels
# hardly a word is left to learn.
#
# The **threshold** (only pseudo-labels with a chance of 0.9 or more are taken) made less
# of a difference than its fame suggests. At first it keeps out about a third (a cell below
# prints it), and at the end it is two points ahead with 40 labels, and level with 1,600.
#
# ### How many labels were saved?
#
# Read the curve sideways: how many labels alone are as good as self-training with 40?

# %%
sizes = (20, 40, 80, 160, 320, 640, 1_280)
rows = [
    (how, n, seed, halves(seed, how, data, n)["value"])
    for how in ("labels alone", "self-training")
    for n in sizes
    for seed in range(12)
]
curve = pd.DataFrame(rows, columns=["arm", "labels", "seed", "value"])
course.figure(
    plots.learning_curve(curve, y_label="accuracy"),
    "Accuracy by number of labels, for labels alone and for self-training. Self-training is far "
    "above from 20 labels on, and the two lines come together at the right end.",
)

# %% [markdown]
# One number from two curves: how far is it to be trusted? Draw twelve of the twelve seeds
# with replacement, read the number off again, and do so 500 times.


# %%
def as_good(runs):
    """How many labels alone are as good as 40 with self-training, in the mean over these runs."""
    means = runs.mean()
    target = means["self-training", 40]
    return np.exp(np.interp(target, means["labels alone"], np.log(sizes)))  # on a log scale


runs = curve.pivot(index="seed", columns=["arm", "labels"], values="value")
needed = as_good(runs)
drawn_anew = [as_good(runs.sample(12, replace=True, random_state=k)) for k in range(500)]
least, most = np.percentile(drawn_anew, [2.5, 97.5])
course.within("labels alone that are as good as 40 with self-training", needed, 70, 200)
course.varies(f"95 of 100 such draws: {least:.0f} to {most:.0f}")

# %% [markdown]
# ## When it does not help
#
# ### Texts from elsewhere
#
# Where do unlabelled texts come from? From everywhere; nobody has sorted them. Take 1,600
# texts of a fifth package, transformers. The right label for them does not exist, but the
# classifier will find one. Guess the verdict.

# %%
claim = replace(helps, prediction=f"{helps.prediction}, if those are of none of the classes")
arms = {
    how: partial(halves, how=how, data=data, others=strangers)
    for how in ("labels alone", "self-training", "no threshold")
}
elsewhere = claim.run(arms, seeds=range(12), minutes=0.1)
print(elsewhere.verdict)
course.varies(elsewhere.summary())

# %% [markdown]
# ### Another classifier: confirmation bias
#
# The same forty labels, the same 1,600 texts, but logistic regression, which is not
# quick to be sure: with forty labels it hardly ever gives a chance of 0.9. So let its
# threshold be 0.5. Most of the first pseudo-labels are right: you will see. What can go
# wrong? Guess before you run.

# %%
claim = replace(helps, prediction=f"{helps.prediction}, by logistic regression")
slow = {"data": data, "model": LOGISTIC, "kind": "tf-idf"}
arms = {
    how: partial(halves, how=how, **slow)
    for how in ("labels alone", "self-training", "no threshold")
}
for how in tuple(arms):
    arms[f"{how}, weighted"] = partial(halves, how=how, **slow | {"model": WEIGHTED})
bias = claim.run(arms, seeds=range(12), minutes=0.2)
print(bias.verdict)
course.varies(bias.summary())


# %%
def history(results, what):
    """The mean over the seeds, round by round; who stopped early stays where it was."""
    paths = [results.details["self-training", seed][what] for seed in results.seeds]
    padded = [path + [path[-1]] * (11 - len(path)) for path in paths]
    return [{"round": place, "mean": mean} for place, mean in enumerate(np.mean(padded, axis=0))]


figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
both = {"naive Bayes": taught[40], "logistic regression": bias}
lines = {"how sure it is": "confidence", "how many are right": "accuracy"}
for ax, (name, results) in zip(axes, both.items(), strict=True):
    paths = {line: history(results, what) for line, what in lines.items()}
    plots.loss_curves(paths, ax, x="round", y="mean", title=name, y_label="of its pseudo-labels")
course.figure(
    figure,
    "Two panels, by round: how sure the classifier is of its pseudo-labels, and what share of them "
    "is right. Naive Bayes is about 0.99 sure from the first round on, while about six in ten are "
    "right; both rise a little. For logistic regression confidence rises from about a half to "
    "nearly one, while the share that is right falls from most to about a third.",
)

# %%
sure, right = ([row["mean"] for row in history(bias, what)] for what in lines.values())
course.within("right, first pseudo-labels", right[0], 0.7, 0.95)
course.within("right, last ones", right[-1], 0.25, 0.5)
course.within("sure, last ones", sure[-1], 0.85, 1)
assert right[-1] < right[0] and sure[-1] > sure[0]

# %% [markdown]
# The more it is wrong, the surer it gets. This is **confirmation bias**. The first
# pseudo-labels are few, most of them right, and too many of *one* class: that of
# which it happened to know most. They make this class more frequent among the labels,
# hence more likely in its eyes, hence more texts pass the threshold, nearly all of that
# class.
#
# In earnest you have no gold to see the right-hand picture. But you can count which
# labels it takes. Here each class has a quarter of the texts:

# %%
for name, results in both.items():
    told = pd.DataFrame([results.details["self-training", seed] for seed in results.seeds])
    share = told.coverage.str[0].mean()
    course.varies(
        f"{name}: at first it takes {share:.0%} of the texts, {told['first'].mean():.0%} of them "
        f"for one class; at last one class has {told['last'].mean():.0%}"
    )

# %% [markdown]
# A class that eats the others is the sign.
#
# The threshold was to protect, and it lets one class through first. Did it do the damage?
# In the arms called *weighted* each class counts the same in training, however many labels
# it has. Their means stand in the summary above; here are the verdicts.

# %%
weighted = {}
for how, title in {"self-training": "threshold", "no threshold": "no threshold"}.items():
    claim = replace(
        helps,
        prediction=f"{helps.prediction}, by weighted logistic regression, {title}",
        control="labels alone, weighted",
        treatment=f"{how}, weighted",
    )
    ways = {arm: arms[arm] for arm in (claim.control, claim.treatment)}
    weighted[how] = claim.run(ways, seeds=range(12), minutes=0.1)  # from the cache, at once
    print(f"{title}: {weighted[how].verdict}")
    course.varies(weighted[how].summary())
course.varies(apart(bias, "no threshold, weighted", "self-training, weighted"))

# %% [markdown]
# With the threshold the whole interval lies below 0: harm still. Without it, nothing that
# counts in either direction. And the last line compares the two with each other: what
# harm remained, this threshold did. It is one value, 0.5, and nobody tuned it.
#
# A word on the intervals. Every seed draws other labels, and is asked about 400 of the
# same 800 test texts. So an interval says how much hangs on the labels; for *other texts*
# it is too short. Where a bound lies close to what counts, take the verdict as open.
#
# ## Claim 2: let it ask
#
# Forty labels, drawn at random. Were they the right forty? **Active learning** lets the
# classifier choose which texts a person labels next: those of which it is least sure.
# With chances for several classes there are two ways to say that. The **margin** is the
# distance between the two likeliest classes. The **entropy** is the spread over all:

# %%
from llmtrain101.labels import active

any_order = seeds.rng(0, "ties")
chances = np.array([[0.50, 0.49, 0.01], [0.40, 0.30, 0.30]])
entropy = -(chances * np.log(chances)).sum(axis=1)
np.testing.assert_allclose(entropy, active.entropy(chances, None, any_order))
print("asked first, by margin: ", active.margin(chances, None, any_order).argmax())
print("asked first, by entropy:", active.entropy(chances, None, any_order).argmax())

# %% [markdown]
# A third way, **density**, multiplies the entropy by how like the text is to the others,
# so that no oddities are asked about.
#
# The task is now yes or no: is this docstring from scikit-learn, or from torch? With two
# classes margin and entropy agree. You know two that are and eight that are not; then the
# classifier asks about ten at a time until there are 100. The control begins with the same
# ten and draws the other ninety at random, with as many trainings. Each class counts the
# same in training, however rare.
#
# Two versions of the same task: one text in twenty is from scikit-learn, or every second
# one. F1 needs a cut-off, by habit a chance of 0.5, and trained on so few examples of the
# rare class hardly any chance gets there. That would be the cut-off's fault. So the
# measure is the *average precision*: order the test texts by their chance; at each one
# that is right, which share of those so far is right? The mean of these. In any order it
# is the share of the class.

# %%
from sklearn.metrics import average_precision_score, f1_score, precision_recall_curve

pair = ["torch", "sklearn"]
yes_no, _ = prepared(*part("train", pair, 900), *part("test", pair, 550))


def drawn(rng, gold, share, n):
    """n places, of which this share is of class 1; None: as it comes."""
    if share is None:
        return rng.permutation(len(gold))[:n]
    yes, no = (rng.permutation(np.nonzero(gold == k)[0]) for k in (1, 0))
    return rng.permutation(np.concatenate([yes[: round(share * n)], no[: round((1 - share) * n)]]))


def measured(gold, chances):
    """How well chances find what is true in `gold`: by order, at 0.5, and at the best cut-off."""
    precision, recall, _ = precision_recall_curve(gold, chances)
    at_best = (2 * precision * recall / np.maximum(precision + recall, 1e-9)).max()
    at_half = f1_score(gold, chances >= 0.5, zero_division=0)
    return average_precision_score(gold, chances), at_half, at_best


def asking(seed, how, data, share=None, n=100, pupil=WEIGHTED, wanted=(1,)):
    """How well `pupil` finds the wanted classes, from n labels that WEIGHTED chose."""
    rng = seeds.rng(seed, "pool")
    pool, asked = (
        drawn(rng, data[name], share, size) for name, size in (("gold", 940), ("test gold", 570))
    )
    (X, test), gold = data["tf-idf"], data["gold"][pool]
    known = range(10)
    if share is not None:
        known = [*np.nonzero(gold == 1)[0][:2], *np.nonzero(gold == 0)[0][:8]]
    chosen = active.learn(
        WEIGHTED, X[pool], lambda place: gold[place], known, active.STRATEGIES[how],
        n_labels=n, batch=10, rng=seeds.rng(seed, "asked"),
    )  # fmt: skip
    pupil.fit(X[pool][chosen], gold[chosen])
    chances = dict(zip(pupil.classes_, pupil.predict_proba(test[asked]).T, strict=True))
    right, never = data["test gold"][asked], np.zeros(len(asked))
    kinds = [measured(right == k, chances.get(k, never)) for k in wanted if k in right]
    names = ("value", "F1 at 0.5", "F1 at best")
    measures = dict(zip(names, np.mean(kinds, axis=0).tolist(), strict=True))
    return measures | {"share": float((gold[chosen] == 1).mean())}


# %% [markdown]
# Before a claim, look what there is to gain. How far from 1 are 100 random texts? Seeds of
# their own, so that nothing is seen of the runs that decide.

# %%
versions = {0.05: "one in twenty", 0.5: "every second"}
for share, name in versions.items():
    scores = [asking(seed, "random", yes_no, share)["value"] for seed in range(200, 212)]
    low, high = {0.05: (0.4, 0.6), 0.5: (0.04, 0.1)}[share]
    course.within(f"{name}: random texts leave to be gained", 1 - np.mean(scores), low, high)

# %% [markdown]
# In the second version nobody can gain ten points; a claim that asks for them is lost
# beforehand. So let about a fifth of what is left count: 0.1, and 0.015. Guess both
# verdicts.

# %%
asks = Claim(
    "a classifier that chooses its 100 texts finds more than one with 100 random texts",
    control="random",
    treatment="margin",
    metric="average precision on unseen docstrings",
    smallest_effect=0.1,
    lesson="08",
)
counts_from = {"one in twenty": 0.1, "every second": 0.015}
hows = ("random", "margin", "density")
chose = {}
for share, name in versions.items():
    claim = replace(
        asks, prediction=f"{asks.prediction}, {name}", smallest_effect=counts_from[name]
    )
    arms = {how: partial(asking, how=how, data=yes_no, share=share) for how in hows}
    order = {"any order": share}
    chose[name] = claim.run(arms, seeds=range(100, 124), constants=order, minutes=0.1)
    print(f"{name}: {chose[name].verdict}")
    course.varies(chose[name].summary())

# %%
course.figure(chose["one in twenty"].plot(), chose["one in twenty"].alt_text())
for name, results in chose.items():
    means = results.table.groupby("arm")[["F1 at 0.5", "F1 at best", "share"]].mean()
    always = 2 * results.constants["any order"] / (1 + results.constants["any order"])
    course.varies(f"{name}; F1 of always yes: {always:.2f}\n{means.round(2).to_string()}")

# %% [markdown]
# The shares say why. Where a class is rare, random labels are spent on the other one: a
# hundred of them hold about seven of what you look for, and two of those were known. The
# classifier that asks goes where the rare ones are. Where both are frequent, random texts
# are hard to beat: margin does not gain even a fifth of the little they leave. Density
# stands about a point above them, but the claim was not about it.
#
# Now compare the columns of F1 where one text in twenty is of the class. At 0.5 the gap
# is widest, for the random labels do little better than who always says yes. At the best
# cut-off, which only somebody with gold can know, much of the gap is gone: that part was
# the cut-off, not the knowledge. What remains is what choosing has brought. Whoever
# compares at 0.5 alone boasts.
#
# The same shares are a warning. What is chosen is no fair sample: whoever counts the rare
# class among the texts chosen by margin finds it several times as often as it is. So never
# take your test part from texts that a classifier has asked about.
#
# ### Do the labels serve another classifier?
#
# Labels outlive the classifier that asked for them. Studies have found that what one asked
# for can teach another worse than random texts do. Train naive Bayes on what logistic
# regression has chosen, where one text in twenty is from scikit-learn, and where every
# second is: the same 24 seeds as above, the same sizes that count. Guess.

# %%
inherited = {}
for share, name in versions.items():
    heir = replace(
        asks,
        prediction=f"texts that one classifier chose teach another, {name}",
        smallest_effect=counts_from[name],
    )
    ways = {how: partial(asking, how=how, data=yes_no, share=share, pupil=BAYES) for how in hows}
    inherited[name] = heir.run(ways, seeds=range(100, 124), minutes=0.2)
    print(f"{name}: {inherited[name].verdict}")
    course.varies(inherited[name].summary())

# %% [markdown]
# If yours says *supported* for the rare class: an example of what is rare serves anybody,
# whoever asked for it. If it says *undecided*, look where the interval begins: above 0 they
# serve the heir too, and whether by ten points is open. Then hold the differences of this
# summary against those of claim 2: where one text in twenty is of the class, who gains more
# from what was chosen, the one that asked, or its heir? For each compare with the random
# texts of the same pupil, not one pupil with the other.
#
# ## Exercises
#
# ### 08.1 Pseudo-labels
#
# `chances` has a row for each unlabelled item and a column for each of `classes`. Give back
# two lists: the places of the items whose likeliest class has a chance of at least
# `threshold`, and the labels (not the columns) that they get.


# %% tags=["exercise-08.1", "starter"]
def pseudo_labels(chances, classes, threshold):
    return ...


# %% tags=["exercise-08.1", "solution"]
def pseudo_labels(chances, classes, threshold):
    places = np.nonzero(chances.max(axis=1) >= threshold)[0]
    return places.tolist(), [classes[column] for column in chances[places].argmax(axis=1)]


# %%
course.check("08.1", pseudo_labels)

# %% [markdown]
# ### 08.2 What to ask next
#
# Give back the places of the `k` items with the smallest margin between their two likeliest
# classes, the smallest first.


# %% tags=["exercise-08.2", "starter"]
def ask_next(chances, k):
    return ...


# %% tags=["exercise-08.2", "solution"]
def ask_next(chances, k):
    ordered = np.sort(chances, axis=1)
    return np.argsort(ordered[:, -1] - ordered[:, -2])[:k].tolist()


# %%
course.check("08.2", ask_next)

# %% [markdown]
# ### 08.3 Labels saved
#
# A learning curve: accuracy `scores` with `sizes` labels, both rising. How many labels does
# it take to reach `target`? Between two points of the curve go along the straight line. If
# the curve never gets there, answer `float("inf")`; if it begins above, its first size.


# %% tags=["exercise-08.3", "starter"]
def labels_needed(sizes, scores, target):
    return ...


# %% tags=["exercise-08.3", "solution"]
def labels_needed(sizes, scores, target):
    if target > scores[-1]:
        return float("inf")
    return float(np.interp(target, scores, sizes))


# %%
course.check("08.3", labels_needed)

# %% [markdown]
# ### Quiz
#
# The right answers are computed from the runs above.

# %%
quiz = course.Quiz("08")
quiz.ask(
    "Self-training with naive Bayes: where did it help by five points or more?",
    ["with 40 labels only", "with 1,600 labels only", "with both", "with neither"],
    answer=[[3, 1], [0, 2]][taught[40].difference >= 0.05][taught[1_600].difference >= 0.05],
    why="Where there are labels enough, hardly a word is left to learn from the other texts.",
)
quiz.ask(
    "Logistic regression trained itself, ten rounds. Its pseudo-labels became…",
    ["surer and more often right", "surer and less often right", "less sure"],
    answer=2 if sure[-1] < sure[0] else int(right[-1] < right[0]),
    why="Confirmation bias: one class ate the others.",
)
shares = chose["one in twenty"].table.groupby("arm")["share"].mean()
quiz.ask(
    "One text in twenty is of the class. How many of 100 texts chosen by margin are?",
    ["about 5", "more than 15", "more than 60"],
    answer=np.digitize(100 * shares["margin"], [15, 60]),
    why="The classifier asks where the border is, and the rare ones live there.",
)
quiz.show()

# %% [markdown]
# ## On your own data
#
# Both claims on a file of yours: CSV, TSV, JSON Lines, or one `label text` a line. Repeated
# texts are left out before anything is split; the score is the mean F1 of the classes, in
# which a rare class counts as much as a common one. So that there is a file at hand, the
# first cell writes one.

# %%
import tempfile
from pathlib import Path

from llmtrain101.labels import labelled

example = Path(tempfile.mkdtemp()) / "docstrings.tsv"
lines = [f"{PACKAGES[k]}\t{text}\n" for text, k in zip(*part("train", PACKAGES, 700), strict=True)]
_ = example.write_text("".join(lines), encoding="utf-8", newline="\n")

# %%
MY_FILE = example  # ← the line to change, for example "sms_spam.tsv"

own = labelled.read(MY_FILE)
order = seeds.rng(0, "own file").permutation(len(own.texts))[:4_000]
texts, classes = [own.texts[place] for place in order], sorted(set(own.labels))
gold = np.array([classes.index(own.labels[place]) for place in order])
if len(own.texts) < 300 or len(classes) < 2:
    raise ValueError(
        f"This part needs 300 texts and two labels; {MY_FILE} has {len(own.texts)} texts and "
        f"{len(classes)} labels."
    )
third = len(texts) // 3  # the test part
mine, _ = prepared(texts[third:], gold[third:], texts[:third], gold[:third])
print(len(texts), "texts,", len(classes), "labels; left out:", own.dropped)

# %%
settings = {"data": mine, "score": partial(f1_score, average="macro")}
claim = replace(helps, prediction=f"{helps.prediction}, on a file of mine", metric="mean F1")
arms = {
    how: partial(halves, how=how, n=60, **settings)
    for how in ("labels alone", "self-training", "no threshold", "ten fits")
}
own_labels = claim.run(arms, seeds=range(8), minutes=0.1)
print(own_labels.verdict)
course.varies(own_labels.summary())

# %%
mean = "mean average precision"
claim = replace(asks, prediction=f"{asks.prediction}, on a file of mine", metric=mean)
every = tuple(range(len(classes)))
arms = {how: partial(asking, how=how, data=mine, wanted=every) for how in active.STRATEGIES}
own_questions = claim.run(arms, seeds=range(8), minutes=0.1)
print(own_questions.verdict)
course.varies(own_questions.summary())

# %% [markdown]
# On a file with a rare class, expect much of asking. Where random texts already reach 0.9,
# ten points cannot be gained, and *no effect found* says nothing. Before you trust
# self-training on it, count its pseudo-labels: do the shares of the classes look like those
# of your labels?
#
# ## Further
#
# - Yarowsky (1995), ACL: a few seed words for each sense of a word, the rest by
#   self-training: more than 96 % right, which rivals training on hand-labelled text.
# - Oliver and others (2018), [arXiv:1804.09170](https://arxiv.org/abs/1804.09170): many
#   gains shrink once the control is tuned as well; unlabelled data of other classes do harm.
# - Sohn and others (2020), FixMatch, [arXiv:2001.07685](https://arxiv.org/abs/2001.07685):
#   images of ten kinds, 40 labels: 13.8 % errors; with 4,000 labels 4.3 %. A threshold of
#   0.95, and pseudo-labels that must survive a distorted image.
# - Ein-Dor and others (2020), EMNLP: active learning for BERT helps most where classes are
#   rare and labels few.
# - Lowell, Lipton and Wallace (2019), EMNLP: gains differ between models and tasks, and what
#   one model asked for can teach another worse than random texts.
#
# Ours: how many labels alone are worth 40 with self-training.

# %%
course.varies(f"{needed:.0f} labels alone ({least:.0f} to {most:.0f})")

# %% [markdown]
# **What carries over** to large models: that unlabelled data help where labels are few and
# the data are of the same kind; that confidence is not accuracy; that a rare class is worth
# asking for. **What does not**: a pre-trained model already knows which words go together,
# which is what self-training found out here. Lesson 10 shows what is left to gain.

# %%
course.promises_kept("08")
