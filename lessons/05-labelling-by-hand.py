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
# # Labelling by hand

# %%
from llmtrain101 import course

course.start("05")
course.promises(
    "05",
    "say how far two people agree beyond chance, and what that number does not tell",
    "make one label of several people's, and hand a tie over to a person",
    "say what it costs, and how often it is right, to ask a third person only where two differ",
    minutes=60,
    before="Lesson 02, and what a mean is.",
)

# %% [markdown]
# The article calls labelling by hand "time-consuming and costly", and says that it can
# give labels of high quality. How much time it takes, you find out now, with your own
# fingers. How good the labels are, you measure: nobody else
# has to tell you, for people who label the same texts can be compared.
#
# ## Label some yourself
#
# The course brings 600 reviews of things like kettles and novels, written for it. Sixty
# of them come with three pages of **guidelines**, instructions for whoever labels. Take
# page A: it stands beside the reviews, in a box that scrolls. Read it, then label twenty.
#
# Every click goes to a file in your course folder at once: who, when, what, after how
# many seconds. Close the page whenever you like. To go on, run the notebook from the top
# down to the buttons: your labels are in `my-labels.sqlite`.

# %%
import tempfile
from pathlib import Path

from llmtrain101 import sources
from llmtrain101.course.progress_store import learner_folder
from llmtrain101.labels.store import Store
from llmtrain101.labels.widget import Labeller

reviews = sources.reviews().set_index("id")
by_page = sources.review_guidelines()
pages = by_page.attrs["guidelines"]
folder = learner_folder() or Path(tempfile.mkdtemp())
store = Store(
    folder / "my-labels.sqlite",
    labels=["positive", "negative", "mixed"],
    question="Would the writer buy this again?",
    guidelines=pages["A"],
)
new = store.add({"id": id, "text": reviews.text[id]} for id in by_page.id.unique())
print(len(store), "reviews to label")

# %%
Labeller(store, "me")

# %% [markdown]
# A second person can label the same file at the same time: in a copy of this notebook, up
# to here, with their name for `"me"`. No click is lost, yours or theirs.
#
# Done with twenty? Here is what you cost. (Nothing stops you from going on without: the
# rest of the lesson does not need your labels.)

# %%
import numpy as np

stands = [row for row in store.rows("me") if not row["unsure"]]  # less what was undone
seconds = [row["seconds"] for row in stands if row["seconds"] is not None]
if seconds:
    pace = np.median(seconds)
    course.varies(
        f"{len(stands)} labels, {pace:.0f} s for the middle one. At that pace all 600 reviews, "
        f"by 3 people, take {pace * 600 * 3 / 3600:.1f} hours."
    )
else:
    course.varies("Nothing is labelled yet: label above, then run this cell again.")

# %% [markdown]
# An undo does not wipe anything out. It is an event of its own, so that the file can
# always tell what happened. A store of two texts, without buttons:

# %%
scratch = Store(Path(tempfile.mkdtemp()) / "scratch.sqlite", labels=["good", "bad"])
scratch.add(["It works. What more do you want?", "It worked once."])
first, second = scratch.items()
scratch.label(first, "Ada", "bad")
scratch.undo("Ada")
scratch.label(first, "Ada", "good")
scratch.unsure(second, "Ada")
for event in scratch.events():
    print(event["event"], event["action"], event["value"] or "", event["undoes"] or "")
assert [row["label"] for row in scratch.rows()] == ["good", None]

# %% [markdown]
# ## By hand: agreement beyond chance
#
# The sixty reviews were labelled by all three pages, by the same person. Here are ten,
# with the labels of page A (would they buy it again?) and page B (count praise and
# blame, take every word as it stands).
#
# The sixty are no fair sample. Half of them were picked because they are mixed, ironic or
# turn on a *but*, so that the pages have something to differ on. How often they differ
# follows from that choice. The arithmetic is what you take from here, not the number.

# %%
table = by_page.pivot(index="id", columns="guideline", values="sentiment")
a, b = table["A"], table["B"]
print(table[["A", "B"]].head(10).to_string())
agree = (a == b).mean()
print(f"\nthe same label: {agree:.0%} of the 60")

# %% [markdown]
# Is that much? Think of two people who do not read at all. Each says positive 9
# times in 10, and anything else for the tenth. Guess: how often do they agree?

# %%
from llmtrain101 import seeds

blind = seeds.rng(0, "blind").random((2, 100_000)) < 0.9
course.within("blind, and the same label", (blind[0] == blind[1]).mean(), 0.81, 0.83)

# %% [markdown]
# So agreement has to be measured from there. **Cohen's κ** (1960) asks what two people
# would reach who keep their own shares of each label and deal them out blindly; that is
# 0. Full agreement is 1.


# %%
def kappa(a, b):
    agree = (a == b).mean()
    chance = sum((a == label).mean() * (b == label).mean() for label in set(a) | set(b))
    return (agree - chance) / (1 - chance)


from math import isclose

from sklearn.metrics import cohen_kappa_score

from llmtrain101.labels import agreement

assert isclose(kappa(a, b), agreement.cohen(a, b))
assert isclose(kappa(a, b), cohen_kappa_score(a, b))
course.within("κ of the blind two", kappa(*blind), -0.02, 0.02)
print(f"κ of the two pages: {kappa(a, b):.2f}")

# %% [markdown]
# κ takes two raters, no gaps, and counts every difference the same. **Krippendorff's
# α** takes any number of raters, lets some be missing, and may count a near miss as
# less. It compares two heaps: how far apart are two ratings of the *same* item, and how
# far apart are two ratings drawn from *all* of them?
#
# Ten people rated single words, from -4 (very negative) to 4. Four words, four people:

# %%
from itertools import permutations

ratings = sources.ratings().drop_duplicates("word").set_index("word")
R = ratings.filter(like="rating_").to_numpy()  # (words, 10)
few = ratings.loc[["great", "okay", "crazy", "die"]].iloc[:, 2:6]
print(few.to_string())


def apart(heap):
    return np.mean([(x - y) ** 2 for x, y in permutations(heap, 2)])


within = np.mean([apart(row) for row in few.to_numpy()])
alpha = 1 - within / apart(few.to_numpy().ravel())
assert isclose(alpha, agreement.alpha(few, "interval"))
print(f"α = 1 - {within:.2f} / {apart(few.to_numpy().ravel()):.2f} = {alpha:.2f}")

# %% [markdown]
# ## Look
#
# Now all words. When one person said the number at the left, what did another say of
# the same word? A row sums to 1.

# %%
from llmtrain101 import plots

meets = agreement.confusions(R)
names = [f"{value:+d}" if value else "0" for value in meets.index]
course.figure(
    plots.heatmap(meets, names, names, x_label="another said", y_label="one said"),
    "A table of nine by nine shades. The dark cells form a block for each sign. Whoever says four "
    "seldom meets another four, mostly a two or three; the sign hardly ever turns round, save next "
    "to zero.",
)
for level in agreement.LEVELS:
    print(f"α, {level}: {agreement.alpha(R, level):.2f}")
print(f"α, nominal, of positive or not: {agreement.alpha(R > 0):.2f}")

# %% [markdown]
# The same ratings, four ways to count. *Nominal* counts a 3 against a 4 as a
# disagreement like any other. *Interval* goes by the squared distance: 1 from 3 to 4, 64
# from -4 to 4. *Ordinal* uses the order alone: how many ratings lie between the two. Which
# one is right? The one that fits the use. If the number is used as a score, take the
# interval. If it is cut into a class, such as positive or not, cut the ratings first: the
# last line.
#
# Play with single words. Where do ten people disagree about more than the number?


# %%
def said(word="crazy"):
    given = list(ratings.loc[word].iloc[2:])
    people = {f"{value:+d}": given.count(value) for value in range(4, -5, -1)}
    return plots.bars(people, number=".0f", title=word, x_label="people", y_label="rating")


words = ["crazy", "great", "okay", "die", "sarcastic", "innocent", "proud", "fun"]
course.play(said, alt="Bars: how many of ten people gave “{word}” each rating.", word=words)

# %% [markdown]
# ## How many people are enough?
#
# From here on a label is a sign: positive or negative. A 0 is somebody who would not
# say; it counts as a missing rating. Where all are missing, or the signs are tied, a lot
# decides, which is right every second time. Nobody knows the true sign of a word. But you
# have ten ratings: let some decide, and see whether the *other five* agree.
#
# A warning that belongs to the data: raters were chosen and trained, and words on which
# they disagreed wildly were thrown out before the list was published. And a column is a
# seat, not a person: different people sat there for different words. So the ratings of
# each word are dealt out anew.


# %%
def dealt(seed):
    """Words in random order, and the ratings of each in random order."""
    hands = seeds.rng(seed, "seats").permuted(R, axis=1)
    return hands[seeds.rng(seed, "words").permutation(len(hands))]


def by_vote(seed, raters, least=0.0, most=4.0):
    """Of 1,000 words, the share whose sign by these raters is that of five others."""
    hands = dealt(seed)
    others = hands[:, 5:].mean(axis=1)
    some = (abs(others) > least) & (abs(others) <= most)
    hands, others = hands[some][:1000], others[some][:1000]
    votes = np.sign(hands[:, :raters]).sum(axis=1)
    lots = seeds.rng(seed, "ties").choice([-1, 1], len(votes))
    right = np.where(votes == 0, lots, np.sign(votes)) == np.sign(others)
    both = (hands[:, :2] * others[:, None] < 0).all(axis=1)  # two people on the same word
    shares = {
        "value": right,
        "contradict": ~right & (votes != 0),
        "by lot": votes == 0,
        "both": both,
    }
    return {name: where.mean() for name, where in shares.items()}


# %% [markdown]
# Write down two guesses. In how many words of a hundred does one person contradict the
# five? And how many of these mistakes are gone with three?

# %%
from functools import partial

import pandas as pd

from llmtrain101.experiment import Claim

more = Claim(
    "three people name the sign of a word better than one",
    control="1 rater",
    treatment="3 raters",
    metric="share of 1,000 words with the sign that five others give",
    smallest_effect=0.025,
    lesson="05",
)
arms = {f"{k} rater{'s' * (k > 1)}": partial(by_vote, raters=k) for k in (1, 3)}
always = {"always negative": (R.mean(axis=1) < 0).mean()}
voted = more.run(arms, seeds=range(12), constants=always, minutes=0.1)

# %%
course.figure(voted.plot(), voted.alt_text())
print(voted.verdict)
course.varies(voted.summary())
ways = [{"arm": arm} | more for (arm, _), more in voted.details.items()]
ways = pd.DataFrame(ways).groupby("arm").mean().drop(columns="both")
ways["mistakes"] = ways["contradict"] + ways["by lot"] / 2
course.varies(f"Of 100 words:\n{(100 * ways).round(1).to_string()}")

# %% [markdown]
# Now hold your guesses against the table. One person contradicts the five in the words of
# the first column. In those of the second column nobody would say, or two said opposite
# things: half of them are mistakes of the lot, not of a person. With three people both
# columns shrink, the second by more. So a good part of what the second and the third add
# is that somebody says something at all.
#
# ### When it does not help
#
# Three people cost three times as much: is that worth it for every word? The *clear*
# words are those that five others put beyond 2.5, the *doubtful* ones those within 1.
# And what do five people add to three? Under each verdict stand the mistakes in 100
# words.

# %%
from dataclasses import replace

kinds = {"clear": {"least": 2.5}, "all": {}, "doubtful": {"most": 1.0}}
for kind, limits in kinds.items():
    for few_, many in ((1, 3), (3, 5)):
        if (kind, few_) == ("all", 1):
            continue  # the claim above
        case = replace(
            more,
            prediction=f"{many} people are better than {few_} on {kind} words",
            control=f"{few_} raters",
            treatment=f"{many} raters",
        )
        arms = {f"{k} raters": partial(by_vote, raters=k, **limits) for k in (few_, many)}
        found = case.run(arms, seeds=range(12), show=False)
        print(f"{case.prediction}: {found.verdict}")
        before, after = (1 - np.mean(found.values[arm]) for arm in arms)
        low, high = found.interval
        course.varies(
            f"    by {low:+.3f} to {high:+.3f}; mistakes {100 * before:.1f} → {100 * after:.1f}, "
            f"{1 - after / before:.0%} fewer"
        )

# %% [markdown]
# Read two things under each verdict: the interval, and how many fewer mistakes. *No
# effect found* does not say that the gain is 0: it says that it is smaller than the
# 0.025 that was asked for, even where all of its interval lies above 0. On clear words
# one person leaves so few mistakes that no number of people can gain much more than the
# smallest effect of interest, so these two verdicts could hardly be others; of the few
# mistakes, three people take most away. Whether that is "no effect" depends on what a
# mistake costs you: for a training set it is little, for a test set of clear texts it may
# be all.
#
# *Doubtful* is decided by the same five who are the reference. Where they come out close to
# 0, they may have the wrong sign themselves: part of these "mistakes" will be theirs.

# %%
runs = [
    {"arm": kind, "raters": raters, "value": by_vote(seed, raters, **limits)["value"]}
    for kind, limits in kinds.items()
    for raters in range(1, 6)
    for seed in range(12)
]
curve = pd.DataFrame(runs)
axes = plots.learning_curve(curve, x="raters", log_x=False, x_label="raters", y_label="right")
axes.set_xticks(range(1, 6))
course.figure(
    axes,
    "Share of words with the right sign against one to five raters. For clear words it is near "
    "one from the start. For all words it rises from nine tenths and flattens from three on. For "
    "doubtful words it starts far lower and still rises at five.",
)

# %% [markdown]
# So how many people are enough depends on the text. Nobody knows beforehand which texts
# are doubtful, but two people who differ are a sign of it: ask a third only then.
# Exercise 05.3 computes what that saves.
#
# There is a theory, too. If people err independently, two of them contradict the five on
# the same word as often as the two shares multiplied say. Does it hold?

# %%
for kind in ("all", "clear"):
    found = pd.DataFrame([by_vote(seed, 1, **kinds[kind]) for seed in range(12)]).mean()
    chance = found["contradict"] ** 2
    course.varies(f"{kind} words: both {found['both']:.2%}, if independent {chance:.2%}")
    assert found["both"] > 2 * chance
slip = ways.loc["1 rater", "contradict"] / (1 - ways.loc["1 rater", "by lot"])
course.within("one label, given by one person, is wrong", slip, 0.055, 0.067)

# %% [markdown]
# It does not: people stumble over the *same* words. In part the five may be the ones who
# are wrong; but it is so on clear words too, where they hardly are. Keep it in mind where
# the next claim simulates people who err independently.
#
# ## Label noise, or few labels?
#
# You can pay for 6,000 labels. Either 6,000 texts, each labelled once, mistakes
# included. Or 2,000 texts, each labelled by three people, and the majority counts. The
# cost is the same. Which trains the better classifier?
#
# The task has true labels for free: which of five packages is this docstring from? (Names
# that would give it away are removed.) People are simulated: they err as often as you
# just measured (those who would not say left out), and then take any other label.


# %%
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

docs = sources.first_paragraphs(seed=0, show=False)
packages = sorted(set(docs["package"]))
y = docs["package"].map(packages.index).to_numpy()
text, part = docs["text"].to_numpy(), docs["split"].to_numpy()


def votes(truth, raters, slip, rng):
    """The majority label of some simulated people, ties by lot."""
    given = np.repeat(truth[:, None], raters, axis=1)
    wrong = rng.random(given.shape) < slip
    given = np.where(wrong, (given + rng.integers(1, 5, given.shape)) % 5, given)
    n = np.stack([(given == k).sum(axis=1) for k in range(5)], axis=1)  # (texts, 5)
    return (n + rng.random(n.shape) / 2).argmax(axis=1)


# %% [markdown]
# A classifier can be kept from following every single label, by a punishment on large
# weights; the smaller its setting `C`, the more. Both arms choose `C` from the same three
# values, by a fifth of their own labels, mistakes and all: that is what you would have,
# too. Call this learner *tuned*.


# %%
def learn(seed, raters, slip, believe=False, budget=6_000):
    """Accuracy on unseen modules of a classifier trained on labels that cost the budget."""
    order = seeds.rng(seed, "texts").permutation(np.flatnonzero(part == "train"))
    some = order[: budget // raters]
    labels = votes(y[some], raters, slip, seeds.rng(seed, "people"))
    features = TfidfVectorizer(sublinear_tf=True).fit(text[some])
    X, n = features.transform(text[some]), len(some) * 4 // 5

    def fitted(C, rows):
        return LogisticRegression(C=C, max_iter=2_000).fit(X[rows], labels[rows])

    def on_the_rest(C):
        return fitted(C, slice(n)).score(X[n:], labels[n:])

    C = 1_000 if believe else max((0.1, 1, 10), key=on_the_rest)
    test, model = part == "test", fitted(C, slice(None))
    told = model.score(X, labels)  # the labels it was told, wrong ones included
    return {"value": model.score(features.transform(text[test]), y[test]), "told": told}


# %% [markdown]
# Which is your guess?

# %%
spread = Claim(
    "6,000 texts labelled once teach more than 2,000 labelled by three",
    control="2,000 texts, 3 raters",
    treatment="6,000 texts, 1 rater",
    metric="accuracy on docstrings of unseen modules",
    smallest_effect=0.02,
    lesson="05",
)


def budgets(**settings):
    names = {3: spread.control, 1: spread.treatment}
    return {name: partial(learn, raters=raters, **settings) for raters, name in names.items()}


frequent = {"most frequent package": np.bincount(y[part == "test"]).max() / (part == "test").sum()}
bought = spread.run(budgets(slip=slip), seeds=range(10), constants=frequent, minutes=0.15)

# %%
course.figure(bought.plot(), bought.alt_text())
print(bought.verdict)
course.varies(bought.summary())

# %% [markdown]
# ### When it does not help
#
# Two things could turn it round. The people are tired, or the question is bad: four labels
# in ten are wrong. Or the learner believes every label: the same model with `C=1000`,
# which is punished so little for large weights that it follows each label it is told. Run
# one, the other, and both. Three more guesses.

# %%
cells = {"few wrong, tuned": bought}
for noise, wrong, learner, believe in (
    ("four in ten wrong", 0.4, "tuned", False),
    ("few wrong", slip, "believing", True),
    ("four in ten wrong", 0.4, "believing", True),
):
    case = replace(spread, prediction=f"{spread.prediction}, {noise}, learner {learner}")
    found = case.run(budgets(slip=wrong, believe=believe), seeds=range(10), minutes=0.15)
    print(f"{noise}, {learner}: {found.verdict}")
    cells[f"{noise}, {learner}"] = found

# %%
rows = {}
for name, found in cells.items():
    told = [more["told"] for (arm, _), more in found.details.items() if arm == spread.treatment]
    rows[name] = {arm: f"{np.mean(values):.3f}" for arm, values in found.values.items()}
    gain = "{:+.3f} to {:+.3f}".format(*found.interval)
    rows[name] |= {"gain": gain, "repeats what it was told": f"{np.mean(told):.1%}"}
course.varies(pd.DataFrame(rows).T.to_string())

# %% [markdown]
# The tuned learner takes a vote of its own, over all texts that look alike, and that vote
# works on *different* texts too. With few wrong labels more texts serve it better; with
# four in ten wrong at least as well, for the interval lies above 0. (Whether by enough to
# matter is what "undecided" leaves open.) The believing learner memorises: the last column
# is how many of the 6,000 labels, wrong ones included, it gives back as it was told. With
# few wrong the two ways come out about even for it. With four in ten it repeats the
# mistakes, and the three people have to vote for it.
#
# So it is not the noise alone, nor the learner alone. Each of them takes something from
# what more texts gain; only both together turned it round.
#
# The test labels are another matter. A test with one wrong label in ten calls a perfect
# classifier 90 % right. Spread what you train on; check what you measure with.
#
# And texts can cost, too. Here each was free. Where a text is a patient, you label it
# three times.
#
# ## Raters who differ
#
# A majority gives the careful and the careless one vote each. Nobody tells you who is
# who. **Dawid and Skene** (1979) noticed that the ratings do: whoever often agrees with
# the others is probably right more often, and should count for more; and then "the
# others" change, and so on in turn. Where that ends, and where it begins, for two real
# people and three who click blindly:

# %%
from llmtrain101.labels import crowd


def people(seed, real, clickers):
    """500 words: signs by some real raters and by some who click blindly; and five others."""
    hands = dealt(seed)[:500]
    signs = np.select([hands > 0, hands < 0], ["+", "-"], "").astype(object)
    signs[signs == ""] = None  # a 0 is a rating that is missing
    blind = seeds.rng(seed, "clickers").choice(["+", "-"], (500, clickers))
    return np.hstack([signs[:, :real], blind.astype(object)]), np.sign(hands[:, 5:].mean(axis=1))


def look(given, crew):
    majority = crowd.majority(given, ties="first").to_numpy()
    found = crowd.dawid_skene(given)
    for place, who in enumerate(crew):
        rated = pd.notna(given[:, place])
        agree = (given[rated, place] == majority[rated]).mean()
        is_right = found.errors[place].to_numpy().diagonal().mean()
        print(f"{who:>6}: {agree:.2f} with the majority, {is_right:.2f} right, says the model")


given, _ = people(0, real=2, clickers=3)
look(given, ["real", "real", "clicks", "clicks", "clicks"])

# %% [markdown]
# The last column was found without a single true label. Now the guess: what does a
# majority of the five reach? And is one of the two real ones, alone, better? Beside them
# stands what you would do if you knew who is real: a majority of those two.


# %%
def right(seed, method, **crew):
    given, others = crew_of(seed, **crew)
    if method == "majority":
        labels = crowd.majority(given, ties="random", rng=seeds.rng(seed, "ties"))
    elif method == "one real":
        labels = pd.Series(given[:, 0])
    elif method == "two real":
        labels = crowd.majority(given[:, :2], ties="random", rng=seeds.rng(seed, "ties"))
    else:
        labels = crowd.dawid_skene(given).labels
    lots = seeds.rng(seed, "lots").choice([-1, 1], len(labels))
    signs = np.where(labels.isna(), lots, np.where(labels == "+", 1, -1))
    return (signs == others)[others != 0].mean()


def crew_of(seed, each=None, **crew):
    return people(seed, **crew) if each is None else passers_by(seed, each)


def passers_by(seed, each):
    """300 words, three real ratings of each, by many people who gave only some ratings."""
    given, others = people(seed, real=3, clickers=0)
    given, others, n = given[:300], others[:300], 300 // each
    wide = np.full((300, 3 * n), None)
    for column in range(3):
        seat = seeds.rng(seed, f"seat {column}").permutation(300) % n + column * n
        wide[np.arange(300), seat] = given[:, column]
    return wide, others


# %%
from llmtrain101.experiment import judge, paired_interval

weigh = Claim(
    "weighing raters by Dawid and Skene beats a majority, with 2 real and 3 who click",
    control="majority",
    treatment="Dawid-Skene",
    metric="share of words with the sign that five others give",
    smallest_effect=0.02,
    lesson="05",
)


def methods(**crew):
    return {method: partial(right, method=method, **crew) for method in ("majority", "Dawid-Skene")}


crew = {"real": 2, "clickers": 3}
known = ("one real", "two real")
alone = {method: partial(right, method=method, **crew) for method in known}
weighed = weigh.run(methods(**crew) | alone, seeds=range(10), minutes=0.1)

# %%
course.figure(weighed.plot(), weighed.alt_text())
print(weighed.verdict)
course.varies(weighed.summary())
means = {method: np.mean(values) for method, values in weighed.values.items()}
assert means["majority"] < means["one real"]
for other in known:
    ahead = np.subtract(weighed.values["Dawid-Skene"], weighed.values[other])
    _, low, high = paired_interval(ahead)
    print(f"Dawid and Skene ahead of {other}: {judge(low, high, weigh.smallest_effect)}")
    course.varies(f"    by {low:+.3f} to {high:+.3f}")

# %% [markdown]
# Three coins do outvote two people: the majority of five is worse than one real person
# alone. Dawid and Skene find the coins and nearly stop listening to them. Whether they
# fall short of the two real people is not clear; if so, by too little to count. Dawid and
# Skene are ahead of *one* real person, who costs a fifth; ten seeds leave open whether by
# enough to count. The model is for when nobody can tell who is real. If you can tell, ask
# those.
#
# ### When it does not help
#
# Five real raters, who are all about as good. Or passers-by: three real ratings of each
# word, given by 300 people who rated only three words each. Guess both.

# %%
crews = {"five real raters": {"real": 5, "clickers": 0}, "three ratings a person": {"each": 3}}
for name, crew in crews.items():
    case = replace(weigh, prediction=f"weighing raters by Dawid and Skene beats a majority, {name}")
    crewed = case.run(methods(**crew), seeds=range(10), minutes=0.05)
    print(f"{name}: {crewed.verdict}")
    course.varies(crewed.summary())

# %% [markdown]
# Among equals there is nothing to weigh. And from three ratings nobody can tell how good
# a person is: the method fits what is chance, and pays for it. It also takes people to
# err independently. Two real people again, and one who clicks blindly, from whom two
# others copy. Guess whom it trusts.

# %%
given, _ = people(0, real=2, clickers=1)
look(given[:, [0, 1, 2, 2, 2]], ["real", "real", "clicks", "copies", "copies"])

# %% [markdown]
# It believes the copies in everything, and takes the two real people for those who click.
#
# ## What three pages of guidelines do
#
# Back to the sixty reviews. The same person labelled them by three pages, all of them
# sensible. No second person is in it. (That person wrote the pages, too, and labelled
# nothing twice: how many of the differences are slips, nobody knows.) Guess α, and
# remember how the sixty were picked: with other reviews it would be another number.

# %%
print(table.apply(pd.Series.value_counts).to_string())
print(f"\nα of the three pages: {agreement.alpha(table):.2f}")
print("κ of each two pages:", agreement.between(table).round(2).to_string(), sep="\n")
worst = agreement.disagreements(table)
print(f"\nall three the same: {(worst.agreement == 1).sum()} of 60\n")
for id in worst.index[:2]:
    print(f"{dict(table.loc[id])}\n  {reviews.text[id]}\n")

# %%
print("\n\n".join(pages[page] for page in "BC"))

# %% [markdown]
# Page A stood beside the buttons; these are the other two. Read the two reviews again:
# each label is right, by its page. The pages ask three questions: would they
# buy it again, is there praise or blame, how does it end. A classifier that follows one
# page to the letter gets these shares "right" in a test of such reviews labelled by
# another:

# %%
for one, other in (("A", "B"), ("A", "C"), ("B", "C")):
    print(f"{one} against {other}: {(table[one] == table[other]).mean():.0%}")

# %% [markdown]
# Before you blame raters, read the disputed texts: `agreement.disagreements` lists them
# first. What they have in common is the next sentence of your guidelines.
#
# And you? If you labelled at least ten reviews above, here is your κ with page A, B and
# C.

# %%
mine = store.table().get("me", pd.Series(dtype=object)).dropna()
if len(mine) < 10:
    course.varies(f"{len(mine)} labels of yours so far; ten are needed.")
else:
    for page in "ABC":
        same = agreement.cohen(mine, table.loc[mine.index, page])
        course.varies(f"κ with page {page}: {same:.2f} ({len(mine)} reviews)")

# %% [markdown]
# ## Exercises
#
# ### 05.1 κ from a table
#
# You have no list of labels, only how often each pair came: `counts[i][j]` texts got
# label `i` from the first person and `j` from the second. Return κ.


# %% tags=["exercise-05.1", "starter"]
def kappa_of(counts):
    return ...


# %% tags=["exercise-05.1", "solution"]
def kappa_of(counts):
    share = np.array(counts) / np.sum(counts)
    agree = share.trace()
    chance = share.sum(axis=1) @ share.sum(axis=0)
    return (agree - chance) / (1 - chance)


# %%
course.check("05.1", kappa_of)

# %% [markdown]
# ### 05.2 One label of several
#
# Return the label that most people gave, and `"?"` where there is none: on a tie, or when
# nobody answered. `None` in the list is somebody who did not answer; that is no vote.


# %% tags=["exercise-05.2", "starter"]
def one_label(given):
    return ...


# %% tags=["exercise-05.2", "solution"]
def one_label(given):
    given = [label for label in given if label is not None]
    most = max(map(given.count, given), default=0)
    best = [label for label in set(given) if given.count(label) == most]
    return best[0] if len(best) == 1 else "?"


# %%
course.check("05.2", one_label)

# %% [markdown]
# ### 05.3 A third only where two differ
#
# Two people label every text; a third is asked only where they differ. There are two
# labels, and each person is right with chance `p`, independently. Return two numbers:
# how many labels a text costs on average, and how likely the final label is right.


# %% tags=["exercise-05.3", "starter"]
def third_where_needed(p):
    return ...


# %% tags=["exercise-05.3", "solution"]
def third_where_needed(p):
    differ = 2 * p * (1 - p)
    return 2 + differ, p * p + differ * p


# %%
course.check("05.3", third_where_needed)

# %% [markdown]
# ### Quiz
#
# The right answers are computed from the runs above.

# %%
quiz = course.Quiz("05")
by_chance = 0.5 * 0.5 + 0.5 * 0.5
quiz.ask(
    "Two people agree on 82 of 100 texts, and each says “positive” for 50 of them. κ?",
    ["0.64", "0.82", "about 0"],
    answer=int(np.argmin(np.abs(np.array([0.64, 0.82, 0]) - (0.82 - by_chance) / (1 - by_chance)))),
    why="Chance alone gives 0.5 · 0.5 + 0.5 · 0.5; with 90 of 100 it would have given 0.82.",
)
quiz.ask(
    f"6,000 labels, one in {1 / slip:.0f} wrong, a tuned learner. What trained better?",
    ["2,000 texts labelled by three", "6,000 texts labelled once"],
    answer=int(np.mean(bought.values[spread.treatment]) > np.mean(bought.values[spread.control])),
    why="The learner votes over texts that look alike; see the claim.",
)
rest = [means[method] for method in ("one real", "Dawid-Skene", "majority")]
quiz.ask(
    "Two real people and three who click blindly. Which was the worst?",
    ["one of the real people", "Dawid and Skene", "the majority of five"],
    answer=int(np.argmin(rest)),
    why="Three coins outvote two people more often than one person errs.",
)
quiz.show()

# %% [markdown]
# ## On your own data
#
# A table with one row for each text and one column for each rater, labels or numbers,
# gaps left empty, in any format of lesson 06. So that there is a file at hand, the first
# cell writes one. A store that at least five people have labelled works as well: put
# `store.table()` where the file is read.

# %%
from llmtrain101 import formats

example = Path(tempfile.mkdtemp()) / "ratings.csv"
signs = pd.DataFrame(np.sign(R[:800, :6])).replace({-1: "bad", 0: None, 1: "good"})
wrote = formats.write(example, signs.rename(columns="rater {}".format).to_dict("records"))

# %%
mine = formats.read(example)  # ← the line to change, as in formats.read("ratings.csv")

mine = agreement.ratings(mine, least=5)
print(f"{len(mine)} texts, raters: {', '.join(mine)}")
print(f"no raters: {', '.join(mine.attrs['left_out']) or 'none'}")
print(f"α {agreement.alpha(mine):.2f}")
print(agreement.disagreements(mine).head(3).to_string())

# %% [markdown]
# Read the names. A column in which hardly a value comes twice, a text or an id, is left
# out. One that is no rater and stayed has to go: `mine = mine.drop(columns="split")`.
#
# And the first claim on it: do three people come nearer to what the others say than one?
# Of the texts with five ratings or more each row is dealt out anew: up to three ratings
# decide, the rest are the others. Gaps play no part here, so what the claim finds is what
# the votes add.


# %%
def by_others(seed, raters):
    return crowd.against_others(mine, raters, apart=3, rng=seeds.rng(seed, "hands"))


own = replace(more, prediction="three people come nearer to the others than one, on my file")
own = replace(own, metric="share of texts with the label that the others give")
arms = {"1 rater": partial(by_others, raters=1), "3 raters": partial(by_others, raters=3)}
on_mine = own.run(arms, seeds=range(8), minutes=0.1)
print(on_mine.verdict)
course.varies(on_mine.summary())

# %% [markdown]
# To keep labels for training, write them as plain rows; lesson 06 is about the formats.

# %%
from llmtrain101.formats import jsonlines

print(jsonlines.write(Path(tempfile.mkdtemp()) / "labels.jsonl", scratch.rows()), "rows")

# %% [markdown]
# ## Further
#
# - Hutto and Gilbert, "VADER" (2014): where the ratings come from, and how raters were
#   chosen, trained and paid. On whole tweets, single raters correlate with the mean of
#   twenty others by r = 0.89.
# - Snow and others, "Cheap and Fast — But is it Good?" (2008): non-experts on five tasks;
#   for the recognition of feelings a classifier trained on their labels was as good as
#   one trained on the experts'.
# - Sheng, Provost and Ipeirotis, "Get Another Label?" (2008): labelling again can pay even
#   where labels are not cheap, "but not always"; as soon as the texts themselves cost, it
#   can pay much.
# - Dawid and Skene, "Maximum Likelihood Estimation of Observer Error-Rates Using the EM
#   Algorithm" (1979): for doctors who disagree about patients.
#
# Beside the first of them, yours, on single words and with the mean of five others:

# %%
hands = dealt(0)
course.within(
    "r of one rater", np.corrcoef(hands[:, 0], hands[:, 5:].mean(axis=1))[0, 1], 0.8, 0.84
)

# %% [markdown]
# **What carries over** to a project of a million labels: that agreement is measured
# from chance, that texts differ in how many people they need, and that the guidelines are
# the first thing to look at where people disagree. **What does not**: the numbers.
# Your raters are not these ten seats, and in a text of a thousand words people have more
# to disagree on than in one word.

# %%
course.promises_kept("05")
