# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Pre-training a language model

# %%
from llmtrain101 import course

course.start("09")
course.promises(
    "09",
    "compute the loss of a language model from the probabilities that it gave",
    "build a language model that counts, the rival that any other must beat",
    "write attention, and decide what each position may see",
    minutes=60,
    before="Lesson 00, and what a matrix product is.",
)

# %% [markdown]
# Nobody has labelled the text on your disk. The article says that you can train on it
# all the same: hide what comes next, and let the model predict it. The text is its own
# label. This is **pre-training**. What the article promises of it is that a model finds
# the structure and the patterns in the data by itself.
#
# Three questions, then. Does the Transformer find more than plain counting finds? Is
# predicting the *next* word the best game to play, or is filling gaps better? And what
# is in the vectors afterwards? At the end you pre-train on a text of your own.
#
# A word in bold is explained where it stands, and again in `docs/glossary.md`.

# %% [markdown]
# ## By hand: counting
#
# Three sentences, and the smallest language model there is: it counts which word
# followed which. Pairs of neighbours are **bigrams**, hence a bigram model.

# %%
from collections import Counter
from itertools import pairwise
from math import exp, isclose, log

sentences = ["the cat sat on the mat", "the dog sat on the rug", "the cat saw the dog"]
pairs = Counter(pair for line in sentences for pair in pairwise(line.split()))
after_the = {word: n for (before, word), n in pairs.items() if before == "the"}
for word, n in after_the.items():
    print(f"{word} followed “the” {n} of {sum(after_the.values())} times")

# %% [markdown]
# Somebody writes *the cat*. What did the model think of it? It gave *cat* a probability
# `p`. Guess before you run: between how many words did it, in a sense, hesitate?

# %%
p = after_the["cat"] / sum(after_the.values())
print(f"p = {p:.2f}, -log(p) = {-log(p):.2f}, 1 / p = {1 / p:.1f}")
assert isclose(exp(-log(p)), 1 / p)

# %% [markdown]
# As if between three equally good words. `-log(p)` is the **loss** of this position, in
# **nats**. (Lesson 00 called `p` a chance and `-log(p)` the surprise. Elsewhere you will
# read *probability* and *loss*, so this lesson says that.) Averaged over a text it is
# the loss of the model, and `exp(loss)` is the number of words that it still hesitates
# between: its **perplexity**.
#
# Counting has two ends that do not meet. Look one word back and you know little; look
# five back and often you have never seen those five. So a good counter looks far where
# it can and near where it must, and mixes the two. With up to `n` words counted at a time
# this is an **n-gram model** of *order* `n`; bigrams have order 2. You write such a mix
# in exercise 09.2. The one in the library is the
# strongest that was found before neural networks took over (modified Kneser-Ney, 1998).
# It needs no step of training.

# %% [markdown]
# ## The text
#
# The text is real: the docstrings of numpy, which are on your disk because you
# installed it. The first read takes some seconds, later ones come from a cache. Whole
# modules are put away for validation and for the test, and copies are removed: no text
# of the test has a twin in the training.

# %%
from llmtrain101 import sources

parts = sources.pretraining_text("numpy", seed=0, fractions=(0.8, 0.1, 0.1))
course.within("texts to train on", len(parts["train"]), 700, 2_000)
course.varies(parts["train"][100][:500])
assert not set(parts["train"]) & set(parts["test"])

# %% [markdown]
# Neither words nor characters, but something between: a frequent word is one piece, a
# rare one is cut into several. The pieces are called **tokens**; which ones there are
# was found by counting, too (byte pair encoding, BPE).

# %%
import numpy as np

from llmtrain101 import tokens

tokenizer = tokens.bpe(parts["train"], 1000, mask=True)
print([tokenizer.decode([i]) for i in tokenizer.encode("Returns the sum of the array.")])


def encode(texts, tokenizer):
    """One array of token ids for each text, closed by the token that ends a text."""
    return [np.array([*ids, tokenizer.end_id]) for ids in tokenizer.encode_many(texts)]


train_texts = encode(parts["train"], tokenizer)
validation = np.concatenate(encode(parts["validation"], tokenizer))
test = np.concatenate(encode(parts["test"], tokenizer))
course.within("thousand tokens", sum(map(len, train_texts)) / 1000, 250, 800)

# %% [markdown]
# ## By hand: attention and the loop
#
# A **Transformer** guesses the next token from *all* tokens before it. In its heart is
# **attention**: each position asks a question (`q`), every position offers a key (`k`)
# and a value (`v`). How well question and key fit decides how much of the value is
# taken. Question, key and value are rows of `D` numbers, for `B` texts of `T` tokens at
# once. The four lines of the function, one after the other:
#
# 1. `scores`: how well each question fits each key, one number for each pair. (More
#    numbers in a row make larger sums; dividing by `D ** 0.5` takes that back.)
# 2. `future`: the pairs in which the key comes after the question. They are hidden, or
#    the model would read off the answer.
# 3. A score of minus infinity gets a weight of 0. `softmax` makes weights of the others:
#    positive, larger for larger scores, and 1 in sum for each question. (How it does
#    that comes under “Look”.)
# 4. `@ v`: each position takes the mean of the values, with these weights.

# %%
import torch
import torch.nn.functional as F

from llmtrain101 import model as library
from llmtrain101 import seeds


def attention(q, k, v):  # each (B, T, D)
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5  # (B, T, T)
    future = torch.ones_like(scores, dtype=torch.bool).triu(1)  # above the diagonal
    weights = scores.masked_fill(future, -torch.inf).softmax(-1)
    return weights @ v


q, k, v = torch.randn(3, 2, 5, 8, generator=seeds.generator(0, "attention"))
torch.testing.assert_close(attention(q, k, v), library.attention(q, k, v, n_heads=1))
theirs = F.scaled_dot_product_attention(q, k, v, is_causal=True)
torch.testing.assert_close(attention(q, k, v), theirs)
print("four lines, the library and PyTorch: the same numbers")

# %% [markdown]
# To see the weights, let each value say only which position it is: a 1 at its own place
# and 0 elsewhere. What comes out is then how much each position took from which. Guess
# the first row before you run it.

# %%
from llmtrain101 import plots

weights = attention(q, k, torch.eye(5).expand(2, 5, 5))[0]
visible, places = weights.where(weights > 0, torch.nan), [f"{i}" for i in range(1, 6)]
course.figure(
    plots.heatmap(visible, places, places, x_label="takes from", y_label="position"),
    "A triangle of weights. The first position takes all from itself, each later one "
    "from itself and those before it; the fields of the future are empty.",
)

# %% [markdown]
# The first position sees only itself. Around attention stand matrices that are learnt.
# The first gives each token a vector (the *embedding*), others make `q`, `k` and `v` of
# it, and the last, the **head**, makes of the vector at a position a score for every
# token that could come next. `library.LanguageModel` has them all, in a file short
# enough to read.
#
# How are they learnt? Show a **batch**, some stretches of the text; take the loss; ask in
# which direction each number should move; move it a little. Here is the whole of it:


# %%
def train_by_hand(model, batches, optimizer, steps):
    losses = []
    for _ in range(steps):
        inputs, targets = next(batches)  # targets: the same text, one token further
        loss = F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()  # the slope of the loss for every parameter
        optimizer.step()  # one step downhill
        losses.append(loss.item())
    return losses


# %% [markdown]
# The library's `train` adds a bar, steps that become smaller towards the end, and a rule
# for the steps that learns faster (Muon). With those switched off, must the two agree?
# Step for step, to the last bit:

# %%
from llmtrain101.model import LanguageModel, ModelConfig, language_model_loss
from llmtrain101.train import TrainConfig, optimizers_for, text_batches, train

ids = np.concatenate(train_texts)
config = ModelConfig.tiny(tokenizer.vocab_size, d_model=64)
plain = TrainConfig(max_steps=10, optimizer="adamw", decay=0.0)
mine, its = (LanguageModel(config, generator=seeds.generator(0, "init")) for _ in "ab")
[adamw] = optimizers_for(mine, plain)
losses = train_by_hand(mine, text_batches(ids, 16, 64, seed=0), adamw, steps=10)
batches = text_batches(ids, 16, 64, seed=0)
history = train(its, batches, language_model_loss, plain, progress=False)
assert losses == [row["loss"] for row in history]
assert isclose(losses[0], log(tokenizer.vocab_size), rel_tol=1e-4)  # knows nothing yet
print("10 steps by hand and by the library: the same losses")

# %% [markdown]
# The second assertion says where our model begins: it holds all tokens to be equally
# likely, and its loss is the logarithm of how many there are.

# %% [markdown]
# ## Look
#
# Now train in earnest, some eight seconds. The rival counts on the same tokens. Write
# down your guess: after how many of the 300 steps does the Transformer pass it?

# %%
from llmtrain101.evaluate import text_loss
from llmtrain101.ngram import NGram

checks = []


def watch(model, record):
    if record["step"] % 50 == 49:
        checks.append({**record, "loss": text_loss(model, validation)})


wider = ModelConfig.tiny(tokenizer.vocab_size, d_model=96)
model = LanguageModel(wider, generator=seeds.generator(0, "init"))
batches, settings = text_batches(ids, 16, 64, seed=0), TrainConfig(max_steps=300)
history = train(model, batches, language_model_loss, settings, on_step=[watch])

# %%
rival = NGram(ids, tokenizer.vocab_size, order=5).loss(validation)
curves = {"training text": history, "unseen text": checks}
axes = plots.loss_curves(curves, smooth=1)
axes.axhline(rival, color="black", linestyle=":")
axes.text(0, rival, "counting, unseen text", va="top")
course.figure(
    axes,
    "Two falling curves against the step, the loss on training text and on unseen "
    "text. A dotted line, the loss of counting on unseen text, lies below the end of "
    "the curve for unseen text.",
)
course.within("Transformer, nats per token", checks[-1]["loss"], 3.1, 3.7)
course.within("counting, nats per token", rival, 2.7, 3.1)

# %% [markdown]
# It does not pass. Before you blame the seed: the next sections test it properly.
#
# First, let it write. It gives each token a score, and a **softmax** makes probabilities
# of the scores: `exp` of each, divided by their sum. Divide the scores by a number
# first, the **temperature**: below 1 the likely becomes likelier, above 1 the unlikely
# gets its chance, and at 0 only the likeliest is ever taken. Which of these will repeat
# itself, and which will be noise?

# %%
from llmtrain101.generate import generate


def write(model, temperature, start="Return the", length=60):
    prompt = torch.tensor([tokenizer.encode(start)])
    draw = seeds.generator(0, "sample")
    out = generate(model, prompt, length, temperature=temperature, generator=draw)
    return tokenizer.decode(out[0].tolist())


for temperature in (0, 0.7, 1.5):
    course.varies(f"temperature {temperature}\n{write(model, temperature)}")

# %% [markdown]
# The same as a picture that holds still: the eight likeliest tokens after a line that
# docstrings are full of, *axis : int or tuple of*. A ␣ is the space that many tokens
# begin with.


# %%
def next_tokens(temperature=1.0):
    with torch.inference_mode():
        start = tokenizer.encode("axis : int or tuple of")
        scores = model(torch.tensor([start]))[0, -1]
    values, places = (scores / temperature).softmax(dim=0).topk(8)
    names = [tokenizer.decode([i]).replace(" ", "␣") for i in places.tolist()]
    bars = dict(zip(names, values.tolist(), strict=True))
    axes = plots.bars(bars, x_label="probability", title=f"temperature {temperature}")
    axes.set_xlim(0, 1)
    return axes


course.figure(
    next_tokens(),
    "Bars for the eight likeliest tokens. The first is well ahead of the others, and far "
    "from certain.",
)

# %% [markdown]
# And to play with. At which temperature is the first bar nearly alone? Where are all
# bars almost equal? Does the order of the bars ever change?

# %%
course.play(
    next_tokens,
    alt="Bars for the eight likeliest tokens at temperature {temperature}.",
    temperature=(0.1, 3.0, 0.1),
)

# %% [markdown]
# ## Claim 1: the Transformer finds more than counting does
#
# One picture is one seed. Now five, each with 150,000 tokens of its own, drawn from the
# training texts. Both sides see the same tokens, and no others. Both may use the
# validation part: counting chooses there how long its runs of tokens are, at most six.
# For the Transformer, eight settings of the learning rates were tried on it beforehand;
# the best is below (embedding and head have rates of their own). Its width and its 200
# steps are what a few seconds buy.


# %%
def sample(texts, seed, n=150_000):
    order = seeds.rng(seed, "texts").permutation(len(texts))
    return np.concatenate([texts[i] for i in order])[:n]


def best_ngram(ids, validation, size):
    longest = int(62 / np.log2(size))  # longer runs do not fit into one number
    models = [NGram(ids, size, order) for order in range(1, min(longest, 6) + 1)]
    return min(models, key=lambda model: model.loss(validation))


quick = TrainConfig(max_steps=200, embedding_rate=0.3, head_rate=0.03)


def transformer(ids, size, seed):
    config = ModelConfig.tiny(size, d_model=64)
    model = LanguageModel(config, generator=seeds.generator(seed, "init"))
    batches = text_batches(ids, 16, 64, seed=seed)
    train(model, batches, language_model_loss, quick, progress=False)
    return model


# %% [markdown]
# The dull baseline is the bigram model from the top of this page. Against that one
# alone, whom would you believe?


# %%
def arms_for(texts, validation, test, size):
    def bigram(seed):
        return NGram(sample(texts, seed), size, 2).loss(test)

    def counting(seed):
        best = best_ngram(sample(texts, seed), validation, size)
        return {"value": best.loss(test), "order": best.order}

    def trained(seed):
        return text_loss(transformer(sample(texts, seed), size, seed), test)

    return {"counting": counting, "Transformer": trained, "bigrams": bigram}


# %%
from llmtrain101.experiment import Claim

claim = Claim(
    "a Transformer predicts unseen text better than counting",
    control="counting",
    treatment="Transformer",
    metric="loss on unseen docstrings",
    unit="nats per token",
    smallest_effect=0.05,
    higher_is_better=False,
    baselines=("bigrams",),
    lesson="09",
)
claim

# %% [markdown]
# Write down the verdict that you expect: *supported*, *not supported*, *no effect
# found*, *undecided*.

# %%
arms = arms_for(train_texts, validation, test[:40_000], tokenizer.vocab_size)
results = claim.run(arms, seeds=range(5), minutes=0.2)
course.figure(results.plot(), results.alt_text())

# %%
print(results.verdict)
seconds = results.table.groupby("arm", sort=False).seconds.mean()
course.varies(f"{results.summary()}\n\nmean seconds a run\n{seconds.round(2).to_string()}")
print("order chosen, of 1 to 6:", sorted({int(n) for n in results.table.order.dropna()}))
beaten = np.mean(results.values["bigrams"]) > np.mean(results.values["Transformer"])
print("the Transformer beats the bigrams:", bool(beaten))

# %% [markdown]
# If your verdict is *not supported*: the Transformer lost to a table of counts, at many
# times the price. Compared with bigrams only, it would have looked like a triumph. An
# untuned rival is the cheapest way to win. It happens in papers too: in another field,
# learning from a few labels, Oliver and others (2018) found that plain baselines are
# often better than they are reported to be.
#
# Docstrings suit the counter: phrases of six tokens come again and again, so that it
# chose the longest runs that it was allowed. Is a Transformer no better than a table?

# %% [markdown]
# ## When counting does not help
#
# Here is a text in which no phrase ever comes again. Every line is a word of six random
# letters, written twice. No table helps: the second word can only be known by looking
# back at the first. It is made up, to show one thing.


# %%
def twice(seed, lines):
    words = seeds.rng(seed, "words").integers(0, 26, (lines, 6))
    space, end = np.full((lines, 1), 26), np.full((lines, 1), 27)
    return np.concatenate([words, space, words, end], axis=1).flatten()


symbols = "abcdefghijklmnopqrstuvwxyz \n"
print("".join(symbols[i] for i in twice(0, lines=3)), end="")

# %%
from llmtrain101.masked import log_probabilities

four_lines = twice(100, lines=400).reshape(-1, 56)  # the first of four is only looked back at


def judged(log_p):  # (100, 55), the log of the probability of each letter but the first
    places = -log_p[:, 13:].reshape(-1, 14).mean(axis=0)  # the loss at each place of a line
    return {"value": float(places.mean()), "places": places.tolist()}


def count_twice(seed):
    model = best_ngram(twice(seed, lines=3_000), twice(101, lines=400), 28)
    return judged(np.log(model.probabilities(four_lines)))


def train_twice(seed):
    model = transformer(twice(seed, lines=3_000), 28, seed)
    return judged(log_probabilities(model, four_lines))


# %% [markdown]
# Six of fourteen letters are pure chance: nobody can do better than `6 / 14 · log(26)`.
# Who will come near it?

# %%
repeats = Claim(
    "a Transformer beats counting where the text refers back to itself",
    control="counting",
    treatment="Transformer",
    metric="loss on new lines",
    unit="nats per letter",
    smallest_effect=0.05,
    higher_is_better=False,
    lesson="09",
)
arms = {"counting": count_twice, "Transformer": train_twice}
limit = {"nobody can do better": 6 / 14 * log(26)}
copying = repeats.run(arms, seeds=range(5), constants=limit, minutes=0.15)

# %%
print(copying.verdict)
course.varies(copying.summary())
curves = {
    arm: [{"place": i, "loss": x} for i, x in enumerate(copying.details[arm, 0]["places"], 1)]
    for arm in arms
}
course.figure(
    plots.loss_curves(curves, x="place", x_label="place in the line", y_label="loss (nats)"),
    "The loss at each of the 14 places of a line, for one seed. On the six letters of the "
    "first word both are high. From there on the Transformer is at zero, while counting "
    "is as high on the second word as on the first, and lower only at the two ends.",
)

# %% [markdown]
# If it says *supported*, you have the reverse, and the picture shows where: on the second
# word. Attention can look back and copy. A table of runs cannot, since these runs never
# came before. It does not even see that a word has come to its end: its two dips are
# there only because 1 letter in 12 is followed by a space, and 1 in 12 by a line end. In
# real text both matter. Counting takes what repeats word for word, and is finished in a
# moment. A Transformer needs long to find the rest: with the slider below you can try
# how long.
#
# This is a good place for a pause. When you come back, click into the next cell and
# choose menu *Run*, *Run All Above Selected Cell*: finished claims come from the cache.

# %% [markdown]
# ## Claim 2: filling gaps teaches more
#
# A guess first, to keep for later. One token of a text is hidden. Who fills the gap
# better: a model that was trained to predict the next token, or one that was trained to
# fill gaps?
#
# The article names one game, the next word. There is another: hide some words anywhere
# and let the model fill them. Such a **masked** model sees both sides of a gap, the
# **causal** one only what comes before.

# %%
from llmtrain101.masked import masked_batches
from llmtrain101.model import IGNORE

inputs, targets = next(masked_batches(ids, 16, 64, tokenizer.mask_id, seed=0, share=0.3))
asked = targets != IGNORE
course.varies(tokenizer.decode(inputs[0].tolist())[:400])
assert (inputs[asked] == tokenizer.mask_id).all()
print("positions asked for:", int(asked.sum()), "of", asked.numel())

# %% [markdown]
# To fill a gap, is seeing both sides worth it? A fair rival sees both sides, too. The
# causal model can: take the ten tokens it holds likeliest after what stands before the
# gap, put each into the gap, and keep the one with which that token *and the words after
# it* are likeliest. The same trick works for counting, the dull baseline.
#
# The test has 500 gaps, each in the middle of 32 tokens of unseen text.

# %%
from llmtrain101.masked import fill_from_both_sides, try_candidates

starts = seeds.rng(0, "gaps").choice(len(test) - 32, 500, replace=False)
windows, gap = test[starts[:, None] + np.arange(32)], 16
hidden = windows[:, gap].copy()

# %% [markdown]
# One gap, filled by the model that you trained above, and two of the ten candidates. The
# first is the likeliest from the left; the second is the right one. What does each cost,
# in nats, at its own place, and what do the words after it cost then? Both are printed,
# and their sum.

# %%
ten, best = fill_from_both_sides(model, windows[:60], gap)
one = np.argmax((best == hidden[:60]) & (ten[:, 0] != hidden[:60]))  # where trying helped
text = windows[[one]].copy()
left, right = (tokenizer.decode(part.tolist()) for part in (text[0, :gap], text[0, gap + 1 :]))
course.varies(f"{left}[gap]{right}\n")
for token in (ten[one, 0], hidden[one]):
    text[0, gap] = token
    costs = -log_probabilities(model, text, first=gap)[0]
    there, after = costs[0], costs[1:].sum()
    course.varies(
        f"{tokenizer.decode([token])!r:12} {there:.1f} + {after:.1f} = {there + after:.1f}"
    )

# %% [markdown]
# The smaller sum wins: what a candidate costs more at its place, the words after it give
# back. Now all 500 gaps, for each of five models.

# %%
size, mask = tokenizer.vocab_size, tokenizer.mask_id


def causal(seed):
    model = transformer(sample(train_texts, seed), size, seed)
    ten, best = fill_from_both_sides(model, windows, gap)
    return {"value": (best == hidden).mean(), "left_only": (ten[:, 0] == hidden).mean()}


# %% [markdown]
# The masked model gets the same text, the same windows in the same order and as many
# steps. The same eight settings were tried for it on the validation part, each with 15 %
# and with 30 % of the tokens hidden. The same one won.


# %%
def masked(seed):
    config = ModelConfig.tiny(size, d_model=64, causal=False)
    model = LanguageModel(config, generator=seeds.generator(seed, "init"))
    texts = sample(train_texts, seed)
    batches = masked_batches(texts, 16, 64, mask, seed=seed, share=0.3)
    train(model, batches, language_model_loss, quick, progress=False)
    with_gap = torch.from_numpy(windows).clone()
    with_gap[:, gap] = mask
    with torch.inference_mode():
        guess = model.head(model.hidden(with_gap)[:, gap]).argmax(-1).numpy()
    return (guess == hidden).mean()


def counting(seed):
    model = NGram(sample(train_texts, seed), size, 5)
    ten = np.argsort(-model.next_token(windows[:, :gap]), axis=1)[:, :10]
    best = try_candidates(windows, gap, ten, lambda texts: np.log(model.probabilities(texts)))
    return (best == hidden).mean()


# %%
gaps = Claim(
    "training on gaps fills gaps better than training on the next token",
    control="causal, tries ten",
    treatment="masked",
    metric="share of 500 hidden tokens found",
    smallest_effect=0.03,
    baselines=("counting, tries ten",),
    lesson="09",
)
arms = {"causal, tries ten": causal, "masked": masked, "counting, tries ten": counting}
gaps

# %% [markdown]
# Your guess first. Then count: how many positions give the masked model something to
# learn in each step, and how many the causal one?

# %%
found = gaps.run(arms, seeds=range(5), minutes=0.3)
course.figure(found.plot(), found.alt_text())

# %%
print(found.verdict)
course.varies(found.summary())
left_only = found.table.left_only.mean()
course.varies(f"causal, from the left only: {left_only:.3f}")
print("masked beats causal, left only:", bool(np.mean(found.values["masked"]) > left_only))
means = {arm: np.mean(shares) for arm, shares in found.values.items()}
print("most gaps filled by:", max(means, key=means.get))

# %% [markdown]
# If it says *not supported*: after as many steps, trying ten candidates with a causal
# model finds more than a model that was made for gaps. In each step the masked model is
# asked about a third of the positions, the causal one about all of them. With more steps
# the order may be another.
#
# And if counting filled the most, the dull baseline beat both. The reason is most likely
# that of claim 1: in docstrings, what stands around a gap has often stood there before,
# word for word, and a table remembers it after one look, while 200 steps are few for a
# Transformer. So neither game has yet taught what counting gives for nothing.
#
# What this does **not** show: that masked models are worse for other things. They were
# made to *understand* a text, and to be fine-tuned for tasks with labels. That is
# lesson 10. Here it is only filling gaps, at this size and after this many steps.

# %% [markdown]
# ## What the vectors learnt
#
# Each token has a vector, a row of numbers, in the head: the better what was read fits
# this vector, the likelier is the token. To the model a token is a number, nothing else.
# It cannot see that `7` is a digit or that ` the` begins a word. Does it find out? Two
# vectors are near if they point nearly the same way. Guess: what share of the tokens has
# a nearest neighbour of its own kind?


# %%
def kind(token):
    letters = token.strip()
    if letters.isdigit():
        return "digits"
    if letters.isalpha():
        return "begins a word" if token[0] == " " else "continues a word"
    return "" if any(c.isalnum() for c in letters) or not letters else "marks"


names = [tokenizer.decode([i]) for i in range(tokenizer.vocab_size)]
often = np.bincount(ids, minlength=len(names)) >= 50
known = [i for i in range(len(names)) if often[i] and kind(names[i])]
kinds = np.array([kind(names[i]) for i in known])
course.varies(Counter(kinds.tolist()).most_common())


# %%
def nearest(vectors):
    unit = F.normalize(vectors, dim=1)
    likeness = unit @ unit.T  # cosine of every pair, (N, N)
    return likeness.fill_diagonal_(-2).argmax(dim=1).numpy()  # nobody is its own neighbour


def same_kind(vectors):
    return (kinds[nearest(vectors)] == kinds).mean()


vectors = model.head.weight.detach()[known]
chance = torch.randn(vectors.shape, generator=seeds.generator(0, "vectors"))
course.within("same kind, learnt vectors", same_kind(vectors), 0.9, 1)
course.within("same kind, random vectors", same_kind(chance), 0.3, 0.5)
assert same_kind(vectors) > same_kind(chance) + 0.3

# %% [markdown]
# Nobody told it the kinds, and random vectors do not have them. The likely reason is that
# tokens of one kind can stand in the same places (no cell here tests that): it is
# structure of the sort that the article promises. Look at some neighbours:
# are they of one kind only, or also of one meaning?

# %%
neighbour = {names[i]: names[known[j]] for i, j in zip(known, nearest(vectors), strict=True)}
wanted = [" the", " array", " returns", " is", "3", "(", "ing", " row", " maximum", "}"]
course.varies("\n".join(f"{w!r:12} {neighbour[w]!r}" for w in wanted if w in neighbour))

# %%
frequent = np.argsort(-np.bincount(ids, minlength=len(names))[known])
shown = [i for k in sorted(set(kinds)) for i in frequent[kinds[frequent] == k][:9]]
flat = vectors[shown] - vectors[shown].mean(dim=0)
flat = flat @ torch.linalg.svd(flat, full_matrices=False).Vh[:2].T  # the 2 widest directions
labels = [names[known[i]].replace(" ", "␣") for i in shown]
course.figure(
    plots.scatter_labelled(flat, labels, kinds[shown]),
    "The nine most frequent tokens of each of four kinds, as points. Tokens that begin "
    "a word, tokens that continue one and digits lie in different parts; marks lie "
    "among them.",
)

# %% [markdown]
# A ␣ is a space again: `1` and `␣1` are two tokens, with a vector each.

# %% [markdown]
# ## How long do you have?
#
# Seconds are no pre-training. Set the minutes; the cell after the next says what
# they buy before anything starts. Without the slider, write `how_long.value = 20`.

# %%
from llmtrain101.course.minutes import minutes_slider

how_long = minutes_slider(0.1)

# %% [markdown]
# From five minutes on, the text of three packages and a larger model pay off. Below
# that, the text and the size are those that you know.

# %%
packages, shape = "numpy", {"d_model": 128}
if how_long.value >= 5:
    packages = ("numpy", "scipy", "pandas")
    shape = {"d_model": 192, "n_layers": 4, "n_heads": 3, "context_length": 128}
chosen = sources.pretraining_text(packages, seed=0, fractions=(0.8, 0.1, 0.1))
long_ids, long_validation, long_test = (
    np.concatenate(encode(chosen[part], tokenizer)) for part in ("train", "validation", "test")
)


def fresh():
    config = ModelConfig.tiny(tokenizer.vocab_size, **shape)
    batches = text_batches(long_ids, 16, config.context_length, seed=1)
    return LanguageModel(config, generator=seeds.generator(0, "init")), batches


# %%
trial = TrainConfig(max_steps=8)
timed = train(*fresh(), language_model_loss, trial, progress=False)
pace = (timed[-1]["seconds"] - timed[2]["seconds"]) / 5
steps = max(10, round(60 * how_long.value / pace))
longer, batches = fresh()
times = steps * 16 * longer.config.context_length / len(long_ids)
about = f"about {steps * pace / 60:.1f} minutes"
course.varies(f"{steps:,} steps, {times:.1f} times through the text, {about}")

# %% [markdown]
# Stop the next cell whenever you like (■): the model keeps what it has learnt.

# %%
settings = TrainConfig(max_steps=steps)
train(longer, batches, language_model_loss, settings)
rival = best_ngram(long_ids, long_validation, tokenizer.vocab_size).loss(long_test)
reached = text_loss(longer, long_test)
course.varies(f"unseen text: Transformer {reached:.3f}, counting {rival:.3f}")
course.varies(write(longer, 0.7))

# %% [markdown]
# Can you beat the counting? More text helps both, and more steps help only the
# Transformer. In our trial on three packages, a quarter of an hour on one core was
# enough: it ended below the counting. That trial had more text and a larger model as well
# as more time, so it does not say which of them did it. But it does say that a
# Transformer can win: claim 1 is a verdict on its budget, not on the kind of model.
#
# Keep what you have. The folder is a normal Hugging Face model; any program that uses
# `transformers` can load it. Importing that library takes a few seconds.

# %%
from pathlib import Path

from llmtrain101 import checkpoint

checkpoint.save(Path("my-language-model"), longer, tokenizer)

# %%
from transformers import AutoModelForCausalLM
from transformers.utils import logging

logging.disable_progress_bar()
loaded = AutoModelForCausalLM.from_pretrained("my-language-model")
prompt = torch.tensor([tokenizer.encode("Return the sum")])
with torch.inference_mode():
    torch.testing.assert_close(loaded(prompt).logits, longer(prompt), atol=1e-3, rtol=1e-3)
print("transformers computes the same:", type(loaded).__name__)

# %% [markdown]
# ## Exercises
#
# If you are stuck, before a check or after it: `course.hint("09.1")` in a cell of its
# own gives a hint, and one more each time; `course.solution("09.1")` shows a way.
#
# **Exercise 09.1** (5 min, difficulty ●○○). A model gave the tokens that came these
# probabilities, one for each position. Return its loss, in nats per token.


# %% tags=["exercise-09.1", "starter"]
def loss_of(probabilities): ...


# %% tags=["exercise-09.1", "solution"]
def loss_of(probabilities):
    return sum(-log(p) for p in probabilities) / len(probabilities)


# %%
course.check("09.1", loss_of)

# %% [markdown]
# **Exercise 09.2** (15 min, difficulty ●●○). Build the mix. Return how likely `word` is
# after `before`: `share` times what the bigrams say, and the rest of the weight times
# how frequent `word` is among all words of the sentences. Where `before` was never
# followed by anything, the bigrams have no say: all the weight goes to the frequency.
# The first word of a sentence follows nothing.


# %% tags=["exercise-09.2", "starter"]
def mixed(sentences, before, word, share=0.8): ...


# %% tags=["exercise-09.2", "solution"]
def mixed(sentences, before, word, share=0.8):
    lines = [line.split() for line in sentences]
    words = [w for line in lines for w in line]
    follows = [b for line in lines for a, b in pairwise(line) if a == before]
    frequency = words.count(word) / len(words)
    if not follows:
        return frequency
    return share * follows.count(word) / len(follows) + (1 - share) * frequency


# %%
course.check("09.2", mixed)

# %% [markdown]
# **Exercise 09.3** (15 min, difficulty ●●●). In long texts, attention to everything gets
# dear. Write one that looks back only so far: each token sees itself and the `width - 1`
# tokens before it, where they exist, and never the future. `scores` (T, T) are ready, a
# row for each question and a column for each key; `values` are (T, D). Return what each
# token takes, (T, D).


# %% tags=["exercise-09.3", "starter"]
def local_attention(scores, values, width): ...


# %% tags=["exercise-09.3", "solution"]
def local_attention(scores, values, width):
    place = torch.arange(len(scores))
    back = place[:, None] - place  # how far back each key lies; negative: in the future
    hidden = (back < 0) | (back >= width)
    return scores.masked_fill(hidden, -torch.inf).softmax(-1) @ values


# %%
course.check("09.3", local_attention)

# %% [markdown]
# **Exercise 09.4** (10 min, difficulty ●●○). You have no scores, only the probabilities
# at temperature 1. Return those at another temperature, above 0. (`scores` and
# `log(probabilities)` differ by a constant, which a softmax does not see.)


# %% tags=["exercise-09.4", "starter"]
def at_temperature(probabilities, temperature): ...


# %% tags=["exercise-09.4", "solution"]
def at_temperature(probabilities, temperature):
    powers = [p ** (1 / temperature) for p in probabilities]
    return [power / sum(powers) for power in powers]


# %%
course.check("09.4", at_temperature)

# %% [markdown]
# ## Quiz

# %%
quiz = course.Quiz("09")
options = [3, 8, 64]
quiz.ask(
    "A model gives every token that comes a probability of 1/8. Between how many "
    "tokens does it hesitate?",
    options,
    answer=options.index(round(exp(-log(1 / 8)))),
    why="`exp(loss)`, and the loss is `-log(1/8)` at each position.",
)
rules = ["bigrams", "counting", "Transformer"]
quiz.ask(
    "Which of the three had the lowest mean loss on unseen docstrings in claim 1?",
    rules,
    answer=int(np.argmin([np.mean(results.values[rule]) for rule in rules])),
    why="Look at its dots. Another budget or another text can turn it round.",
)
cold = torch.tensor([0.8, 0.2]).log().div(0.5).softmax(0)[0].item()
options = [0.67, 0.8, 0.94]
quiz.ask(
    "Two tokens have probabilities 0.8 and 0.2. What has the first at temperature 0.5?",
    options,
    answer=min(range(3), key=lambda i: abs(options[i] - cold)),
    why="Half the temperature squares both; 0.64 and 0.04 are then scaled to sum to 1.",
)
quiz.show()

# %% [markdown]
# ## On your own text
#
# Claim 1 again, on any text. Change the line that the arrow points out, for example to
# `own = "my-text.txt"`: a file beside this notebook, or the name of a folder. It should
# be plain text with some hundred thousand characters; 20,000 are the least. If it is not
# UTF-8, say so: `read_pieces(file, "latin-1")`. As it stands, the text is the manual of
# the Python language. Repeated paragraphs are dropped; the last fifth is put away.
# Counting lives on what comes again word for word: is the gap as wide as before?

# %%
from llmtrain101.texts import find_texts, read_pieces

own = None  # ← "my-text.txt"
my_text = "\n\n".join(sources.manual().text)
if own:
    my_text = "\n\n".join("".join(read_pieces(file)) for file in find_texts(own))
if len(my_text) < 20_000:
    raise ValueError(f"{len(my_text):,} characters are too few: at least 20,000, please.")

# %%
pieces = list(dict.fromkeys(my_text.split("\n\n")))
if len(pieces) < 30:  # no blank lines: take lines, or stretches of 1,000 characters
    pieces = list(dict.fromkeys(my_text.splitlines()))
if len(pieces) < 30:
    pieces = [my_text[i : i + 1_000] for i in range(0, len(my_text), 1_000)]
cuts = [len(pieces) * tenths // 10 for tenths in (0, 8, 9, 10)]
names_of = ("train", "validation", "test")
own_parts = {name: pieces[slice(*cuts[i : i + 2])] for i, name in enumerate(names_of)}
own_tokenizer = tokens.bpe(own_parts["train"], 1000, mask=True)
own_texts, *held_out = (encode(part, own_tokenizer) for part in own_parts.values())
held_out = [np.concatenate(part) for part in held_out]

# %%
from dataclasses import replace

title = f"{claim.prediction}, on a text of my own"
own_claim = replace(claim, prediction=title, metric="loss on its last tenth")
arms = arms_for(own_texts, *held_out, own_tokenizer.vocab_size)
on_own = own_claim.run(arms, seeds=range(5), minutes=0.2)
course.varies(on_own.summary())

# %% [markdown]
# To pre-train on that text for as long as you like, go back to “How long do you have?”.
# Put `chosen, tokenizer = own_parts, own_tokenizer` behind the line that makes `chosen`,
# set the minutes (running the slider's cell again sets them back to 0.1), and run the
# cells from there to the one that saves. Take the line out again afterwards: in a new
# kernel `own_parts` is not known so far up, and the claims above need the old
# `tokenizer`. Texts that do not fit into memory are for the command line:
# `llmtrain101 train --text my-folder --out my-model --tokenizer bpe --minutes 30`.
#
# ## Further
#
# What carries over to a model with a million times as many parameters: the loss, the
# four lines of attention, the ten of the loop, the temperature, and that a rival must
# be as well tuned as you are. What does not: the verdict of claim 1; no large model of
# today counts. Here is where it turns, on a text that many have used, the characters of
# Andrej Karpathy's *tinyshakespeare*, last tenth unseen, in nats per character:
#
# | model | loss |
# | --- | --- |
# | the laptop recipe of [nanoGPT](https://github.com/karpathy/nanoGPT), measured | 1.89 |
# | counting as above, `NGram(…, order=8)`, measured | 1.52 |
# | nanoGPT on a GPU, 6 layers, width 384, from its README | 1.47 |
#
# - Chen and Goodman, "An Empirical Study of Smoothing Techniques for Language Modeling"
#   (1998): the counting that you met, against all its rivals, equally tuned.
# - Oliver and others, "Realistic Evaluation of Deep Semi-Supervised Learning Algorithms"
#   (2018), [arXiv:1804.09170](https://arxiv.org/abs/1804.09170): what becomes of a gain
#   when the baseline is tuned as well.
# - Radford and others, "Improving Language Understanding by Generative Pre-Training"
#   (2018), Table 5: the mean of their tasks is 74.7 with pre-training on the next word,
#   59.9 without. What pre-training is *for*, and lesson 10 tests it.
# - Devlin and others, "BERT" (2019), Table 5: their masked model, fine-tuned to tell
#   what follows from a sentence (MNLI), is right in 84.4 %; the same trained from left
#   to right and without sentence pairs, in 82.1 %. With labels and at that size,
#   masking wins. Yours, by contrast:

# %%
for arm, shares in found.values.items():
    course.varies(f"gaps filled, {arm}: {np.mean(shares):.1%}")

# %%
course.promises_kept("09")
