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
# # Storing labelled data

# %%
from llmtrain101 import course

course.start("06")
course.promises(
    "06",
    "write a whole number as a TFRecord holds it, in one byte or in several",
    "take a TFRecord apart byte by byte, and notice that a bit was flipped",
    "index a file, so that any row is one seek away",
    minutes=50,
    before="Python's bytes and dicts, its operators on bits (<<, >>, |, &, ^), and lesson 01.",
)

# %% [markdown]
# Labels are expensive; lesson 05 shows how much so. Then they are put into a file. The
# article behind this course names three formats, CSV, JSON and TensorFlow records, and
# says that the choice "depends on the preferences of the data scientist and the tools and
# libraries being used".
#
# Taste and tools: is that all? You will flip bits in files, weigh them, and ask them for
# row 20,000. Then you decide.
#
# ## By hand: one row, three times
#
# A text with a label, as people write them: commas, quotes, two lines.

# %%
row = {"text": 'She said "fine",\nthen left.', "label": "007"}

quoted = ['"' + value.replace('"', '""') + '"' for value in row.values()]
print("text,label\n" + ",".join(quoted))

# %% [markdown]
# **CSV** puts values between commas. A value that holds a comma or a line end has to
# stand in quotes, and each quote within it is doubled. So a row is not a line, and
# whoever splits a CSV file at its line ends cuts this row in two.
#
# **JSON Lines** is one JSON object a line. It *can* be split at line ends: a line end in
# a text is written as `\n`. Each row repeats the names of its columns.

# %%
import json

print(json.dumps(row))

# %% [markdown]
# The label is a text here, 007. Which of the two will still know that after reading?
# Guess. The second cell reads both with pandas, as many people would.

# %%
import tempfile
from pathlib import Path

from llmtrain101 import formats

folder = Path(tempfile.mkdtemp())
for name in ("agent.csv", "agent.jsonl"):
    formats.write(folder / name, [row])
    assert list(formats.read(folder / name)) == [row]
    print(name, (folder / name).stat().st_size, "bytes")

# %%
import pandas as pd

print("CSV:       ", pd.read_csv(folder / "agent.csv").label.tolist())
print("JSON Lines:", pd.read_json(folder / "agent.jsonl", lines=True).label.tolist())

# %% [markdown]
# Both are the number 7 now. The CSV file could not say better: it knows text only, and
# whoever reads it has to guess what is a number. The JSON file did say it, by quotes,
# and pandas guessed all the same (`dtype=False` stops it). `formats.read` guesses
# nothing; you declare the types, and a value that does not fit is an error that names
# the line.

# %%
import os


def without_folder(text):
    return str(text).replace(f"{folder}{os.sep}", "")


try:
    list(formats.read(folder / "agent.csv", types={"text": str, "label": bool}))
except formats.FormatError as error:
    print(without_folder(error))

# %% [markdown]
# ## By hand: the bytes of a TFRecord
#
# The third format is not for eyes. It was made to be read fast and to notice damage.
# Inside, a row is an `Example`, written in a notation named protobuf. Its whole grammar,
# for short values: a byte for the number of a field and its kind (the number moved up by
# three bits, the kind in the three that are now free), a byte for the length, the
# content. Fields lie within fields.


# %%
def field(number, content):
    assert len(content) < 128  # longer ones take two bytes for the length: exercise 06.1
    return bytes([number << 3 | 2, len(content)]) + content  # 2: "a length follows"


text = field(1, field(1, "Hé!".encode()))  # a list of bytes, with one in it
label = field(3, field(1, bytes([5])))  # a list of integers, with one in it
features = [field(1, field(1, b"label") + field(2, label))]  # name and value
features += [field(1, field(1, b"text") + field(2, text))]
example = field(1, b"".join(features))
print(example)

# %% [markdown]
# You can see the names and the text (é is two bytes in UTF-8), and between them the
# numbers and lengths. The library does the same:

# %%
from llmtrain101.formats import tfrecord

assert tfrecord.encode({"text": "Hé!", "label": 5}) == example

# %% [markdown]
# Now the record around it. It starts with the length of the data in 8 bytes. Then come
# two checksums, one for the length and one for the data. A **checksum** is a number
# computed from all the bytes, so that another byte almost surely gives another number.
#
# This one is called CRC-32C. It pushes the bits through a register, and whenever a 1
# falls out, it flips a fixed pattern of bits in it.


# %%
def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def checksum(data):
    """As TFRecord stores it: rotated by 15 bits, plus a constant, in 4 bytes."""
    crc = crc32c(data)
    masked = (crc >> 15 | crc << 17) + 0xA282EAD8
    return (masked & 0xFFFFFFFF).to_bytes(4, "little")


length = len(example).to_bytes(8, "little")
record = length + checksum(length) + example + checksum(example)

# %%
assert record == tfrecord.frame(example)
(folder / "mine.tfrecord").write_bytes(record)
print(list(formats.read(folder / "mine.tfrecord")))
print("bytes:", len(record), " the row itself:", len("Hé!".encode()) + 1)

# %% [markdown]
# Your bytes are a TFRecord file; TensorFlow would read them. (The tests of this course
# hold the library equal, byte for byte, to a file that TensorFlow wrote.)
#
# ## Look
#
# All of it, with where each byte comes from. How much of the record is not your data?

# %%
from llmtrain101 import plots

five = example.index(b"\x05\n\x10")  # behind it the entry of the text begins
he = example.index(b"H")
parts = [
    ("length", length),
    ("checksum of the length", checksum(length)),
    ("names, kinds, lengths", example[:five]),
    ("the label", example[five : five + 1]),
    ("names, kinds, lengths", example[five + 1 : he]),
    ("the text", example[he:]),
    ("checksum of the data", checksum(example)),
]
assert b"".join(data for _, data in parts) == record
course.figure(
    plots.byte_map(parts, title="One record"),
    "The bytes of the record in rows of sixteen. The length and its checksum come first, then "
    "names, kinds and lengths with the one byte of the label and the four of the text between "
    "them, and at the end the checksum of the data. Most bytes are not the row itself.",
)

# %% [markdown]
# Flip a bit, and see what comes back from each format: first one within the letter H,
# then, with the slider, any. Can you find a bit of the TFRecord that goes unnoticed? And
# one of the CSV that does not?


# %%
def with_flip(data, bit):
    damaged = bytearray(data)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


def flip(name="a.csv", bit=100, letter=False):
    rows = [{"text": "Hé!", "label": 5}, {"text": "Well, well.", "label": 1}]
    formats.write(folder / name, rows)
    data = (folder / name).read_bytes()
    place = 8 * data.index(b"H") + 1 if letter else bit % (8 * len(data))
    (folder / name).write_bytes(with_flip(data, place))
    try:
        return repr(list(formats.read(folder / name, types={"text": str, "label": int})))
    except formats.FormatError as error:
        return without_folder(error)


for name in ("a.csv", "a.jsonl", "a.tfrecord"):
    print(f"{name:11}{flip(name, letter=True)}")

# %%
course.play(
    flip,
    alt="What is read from {name} when bit {bit} is flipped.",
    name=["a.csv", "a.jsonl", "a.tfrecord"],
    bit=(0, 1_000),
)

# %% [markdown]
# ## At real size
#
# Real rows now: every docstring of the packages that you have installed, labelled with
# its package. Reading the packages takes some seconds the first time.

# %%
from llmtrain101 import sources

TYPES = {"text": str, "package": str, "words": int}
table = sources.docstrings(show=False)
rows = [
    {"text": text, "package": package, "words": len(text.split())}
    for text, package in zip(table.text, table.package, strict=True)
]
assert len(rows) > 40_000, f"only {len(rows):,} docstrings; claim 3 asks for row 40,000"
course.varies(f"{len(rows):,} rows, {table.text.str.len().sum() / 1e6:.0f} million characters")

# %%
import time

FILES = ["docs.csv", "docs.jsonl", "docs.tfrecord", "docs.parquet"]


def seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


facts = {}
for name in FILES:
    path = folder / name
    written = seconds(lambda: formats.write(path, rows))  # noqa: B023
    read = seconds(lambda: [None for _ in formats.read(path, types=TYPES)])  # noqa: B023
    facts[name] = {
        "MB": path.stat().st_size / 1e6,
        "write, s": written,
        "read, s": read,
    }
    assert next(formats.read(path, types=TYPES)) == rows[0]
course.varies(pd.DataFrame(facts).T.round(2))

# %% [markdown]
# **Parquet**, which the article does not name, stores columns instead of rows, and here
# packs them too; it is what the Hugging Face Hub uses. It is the smallest by far. Whether
# the columns did that or the packing, claim 2 will ask.

# %%
size = {name: facts[name]["MB"] for name in FILES}
course.within("CSV, size against Parquet", size["docs.csv"] / size["docs.parquet"], 2, 8)
course.within("TFRecord, size against CSV", size["docs.tfrecord"] / size["docs.csv"], 1, 1.3)

# %% [markdown]
# Times depend on the machine and on what else it does; sizes do not. None of the four
# takes long. So the choice is not about the seconds of reading it all. Three other
# questions matter more.
#
# ## Claim 1: a checksum tells you
#
# Disks, networks and careless hands change bits. Take 100 docstrings, flip one bit of
# the file, read it. Either the reader complains, or the rows are as they were, or they
# are *others and nobody tells you*. What a wrong letter costs depends on which it is:
# garbled quotes and dashes cost a classifier next to nothing in lesson 03, swapped letters
# much in lesson 04. And nobody tells you either when it was a label. 200 flips a run.

# %%
from functools import partial

from llmtrain101 import seeds

pool = [rows[i] for i in seeds.rng(0, "pool").choice(len(rows), 3_000, replace=False)]


def silent(seed, name, n=100, flips=200):
    """The share of flipped bits after which the rows are wrong without a word."""
    rng = seeds.rng(seed, "flips")
    chosen = [pool[i] for i in rng.choice(len(pool), n, replace=False)]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / name
        formats.write(path, chosen)
        data, wrong = path.read_bytes(), 0
        for bit in rng.integers(0, 8 * len(data), flips).tolist():
            path.write_bytes(with_flip(data, bit))
            wrong += outcome(path, chosen) == "silently wrong"
    return wrong / flips


def outcome(path, rows):
    try:
        found = list(formats.read(path, types=TYPES))
    except formats.FormatError:
        return "noticed"
    return "harmless" if found == rows else "silently wrong"


# %% [markdown]
# The types are declared, so that CSV and JSON have their best chance. Guess: of the
# flipped bits, what share goes through in each?

# %%
from llmtrain101.experiment import Claim

safe = Claim(
    "a TFRecord lets fewer damaged files through than CSV",
    control="CSV",
    treatment="TFRecord",
    metric="share of flipped bits that change rows without a word",
    smallest_effect=0.3,
    higher_is_better=False,
    baselines=("JSON Lines", "Parquet"),
    lesson="06",
)
names = {
    "CSV": "a.csv",
    "TFRecord": "a.tfrecord",
    "JSON Lines": "a.jsonl",
    "Parquet": "a.parquet",
}
arms = {arm: partial(silent, name=name) for arm, name in names.items()}
damage = safe.run(arms, seeds=range(8), minutes=0.2)

# %%
course.figure(damage.plot(), damage.alt_text())
print(damage.verdict)
course.varies(damage.summary())

# %%
shares = {arm: sum(values) / len(values) for arm, values in damage.values.items()}
course.within("CSV, silently wrong", shares["CSV"], 0.6, 0.95)
course.within("JSON Lines, silently wrong", shares["JSON Lines"], 0.4, 0.85)
print("TFRecord, silently wrong:", shares["TFRecord"])
assert shares["TFRecord"] == 0

# %% [markdown]
# In CSV most flips make another letter of a letter, and a letter is as good as another.
# JSON notices a little more: its quotes and braces have to match, and control characters
# are not allowed. A CRC of 32 bits catches *every* single flipped bit, whatever the
# data; that is a theorem. (The cell asserts it for the flips above; the tests of the
# course try every bit of a file.)
#
# Parquet has checksums too, for its pages of data, if whoever writes it asks for them
# and whoever reads it looks. `formats` does both; pyarrow by itself does neither.
#
# ### When it does not help
#
# A checksum can be had elsewhere. gzip, the usual way to pack a file, ends with one over
# all that was packed. The same claim against a packed CSV. Guess the verdict.

# %%
from dataclasses import replace

title = "a TFRecord lets fewer damaged files through than a CSV packed by gzip"
packed = replace(safe, prediction=title, control="CSV, gzip", baselines=())
zipped = {
    "CSV, gzip": partial(silent, name="a.csv.gz"),
    "TFRecord": partial(silent, name="a.tfrecord"),
}
against_gzip = packed.run(zipped, seeds=range(8), minutes=0.1)
print(against_gzip.verdict)
course.varies(against_gzip.summary())

# %% [markdown]
# If yours says *no effect found*: the CSV was never the culprit, the missing checksum
# was. Is gzip then the answer? It has one checksum for everything, and it unpacks each
# byte with the help of those before. See what is left after *one* flipped bit anywhere
# in 1,000 rows, if the reader may go on past the damage (`errors="report"`), and whether
# it noticed any:


# %%
def left(name, seed, n=1_000):
    rng = seeds.rng(seed, "left")
    chosen = [pool[i] for i in rng.choice(len(pool), n, replace=False)]
    formats.write(folder / name, chosen)
    data = (folder / name).read_bytes()
    bit = int(rng.integers(8 * len(data)))
    (folder / name).write_bytes(with_flip(data, bit))
    found = formats.read(folder / name, types=TYPES, errors="report")
    texts = {row["text"] for row in found}
    return sum(row["text"] in texts for row in chosen), found.report.damaged > 0


for name in ("b.csv", "b.jsonl", "b.tfrecord", "b.jsonl.gz", "b.tfrecord.gz"):
    kept, noticed = zip(*[left(name, seed) for seed in range(8)], strict=True)
    course.varies(f"{name:14} left: {kept}, noticed {sum(noticed)} of 8")
    if name == "b.tfrecord":
        assert min(kept) >= 999 and all(noticed)

# %% [markdown]
# Plain text loses one row too, but hardly ever knows. A packed file knows, and loses
# whatever comes behind the damage: a few rows or nearly all. With a checksum for each
# record, a reader knows *that* there is damage and *where*, and the next record starts
# where the length says.
#
# And no checksum helps against what was wrong before it was computed. A label that
# somebody mistyped is stored, with a perfect checksum, for ever. That is lesson 05.
#
# ## Claim 2: binary is smaller
#
# "Binary formats are more compact than text": you will have heard that. For the
# docstrings you have already seen what is true. Hold it as a claim, on samples of 500
# rows, and then on other data: images of digits, 64 whole numbers each from 0 to 16.

# %%
images, digit = sources.digits()


def as_text(seed, n=500):
    return [pool[i] for i in seeds.rng(seed, "size").choice(len(pool), n, replace=False)]


def as_pixels(seed, n=500):
    chosen = seeds.rng(seed, "size").choice(len(images), n, replace=False)
    pixels = images.astype(int).reshape(len(images), -1)
    return [{"pixels": pixels[i].tolist(), "label": int(digit[i])} for i in chosen]


def spread(row):
    """CSV has no lists: a column for each number."""
    numbers = {f"p{i}": value for i, value in enumerate(row.get("pixels", []))}
    return numbers | {name: value for name, value in row.items() if name != "pixels"}


# %%
import pyarrow
from pyarrow import parquet


def bytes_a_row(seed, name, make):
    made = make(seed)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / name
        if name == "unpacked.parquet":
            columns = pyarrow.Table.from_pylist(made)
            parquet.write_table(columns, path, compression="none", write_page_checksum=True)
        else:
            formats.write(path, map(spread, made) if ".csv" in name else made)
        return path.stat().st_size / len(made)


# %% [markdown]
# Two verdicts to guess. (A small value takes one byte in a TFRecord. What does it take
# in a CSV?) Beside them, packing and columns, together and apart: Parquet as `formats`
# writes it, which is both; Parquet unpacked, columns alone; and a CSV and a TFRecord
# packed by gzip, packing alone.

# %%
small = Claim(
    "a TFRecord takes less room than a CSV file of the same docstrings",
    control="CSV",
    treatment="TFRecord",
    metric="size of a row",
    unit="bytes",
    smallest_effect=20,
    higher_is_better=False,
    baselines=("JSON Lines", "Parquet, unpacked", "CSV, gzip", "TFRecord, gzip", "Parquet"),
    lesson="06",
)
more = {
    "Parquet, unpacked": "unpacked.parquet",
    "CSV, gzip": "a.csv.gz",
    "TFRecord, gzip": "a.tfrecord.gz",
}
ways = {arm: (names | more)[arm] for arm in ("CSV", "TFRecord", *small.baselines)}
weights = {}
for what, make in {"docstrings": as_text, "images of digits": as_pixels}.items():
    claim = replace(small, prediction=small.prediction.replace("docstrings", what))
    arms = {arm: partial(bytes_a_row, name=name, make=make) for arm, name in ways.items()}
    weights[what] = claim.run(arms, seeds=range(8), minutes=0.05)
    print(f"{what}: {weights[what].verdict}")
    course.varies(weights[what].summary())

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
for ax, (what, result) in zip(axes, weights.items(), strict=True):
    means = {arm: sum(values) / len(values) for arm, values in result.values.items()}
    plots.bars(means, ax, number=".0f", title=what, x_label="bytes a row", highlight="TFRecord")
course.figure(
    figure,
    "Bytes a row for seven ways to store, docstrings on the left and images on the right. For "
    "docstrings TFRecord is a little above JSON Lines, CSV and unpacked Parquet, and the three "
    "packed ones are far below. For images TFRecord is below CSV and JSON Lines, unpacked "
    "Parquet far below all three, and the three packed ones are the lowest.",
)

# %% [markdown]
# For text there is nothing to gain: most letters are one byte in all of them, and each
# record pays for names and checksums. Numbers are another matter. Those of images take a
# digit or two and a comma as text, one byte here.
#
# And Parquet, the columns or the packing? Of docstrings the columns alone hardly save
# anything: packing does, whatever is packed. Of images the columns alone save more than
# half, for Parquet lists the different values of a column once and then keeps only which
# of them comes, in a few bits each. Packing alone saves more still there, and columns
# that are packed are the smallest. (Parquet is packed by zstd here, the others by gzip: a
# few bytes more or less may be due to that.)
#
# ## Claim 3: row 20,000, please
#
# Training draws rows in random order, and each draw has to find its row in the file. A
# TFRecord states the length of each record, so one pass over the lengths tells where all
# of them begin: an **index**. The control reads JSON Lines from the top until the row
# comes. (A file as small as ours stays in memory once it was written. So what is timed
# is the search alone; on a disk that turns, every look-up takes longer.)

# %%
from itertools import islice
from math import log10
from statistics import median

from llmtrain101.formats import jsonlines


def places(seed, n=4):
    return seeds.rng(seed, "places").integers(20_000, 40_000, n).tolist()


def timed(look_up, wanted):
    """The middle of the times, and how many words the first row has, to see that it is right."""
    times, found = [], []
    for place in wanted:
        start = time.perf_counter()
        found.append(look_up(place))
        times.append(time.perf_counter() - start)
    return {"value": log10(1e6 * median(times)), "words": found[0]["words"]}


def from_the_top(seed):
    path = folder / "docs.jsonl"
    return timed(lambda place: next(islice(jsonlines.read(path), place, None)), places(seed))


# %%
start = time.perf_counter()
index = tfrecord.write_index(folder / "docs.tfrecord")
course.varies(f"to build the index, once: {time.perf_counter() - start:.2f} s")


def by_index(seed):
    with tfrecord.Records(folder / "docs.tfrecord", types=TYPES, index=index) as records:
        return timed(records.__getitem__, places(seed, 500))


# %% [markdown]
# The measure is the logarithm of the microseconds a row, to base 10: 1 more is ten times
# as long. Only a factor of ten counts. Guess the factor.

# %%
quick = Claim(
    "a TFRecord with an index gives a random row sooner than JSON Lines",
    control="JSON Lines from the top",
    treatment="TFRecord by index",
    metric="log10 of microseconds for a row",
    smallest_effect=1,
    higher_is_better=False,
    lesson="06",
)
arms = {"JSON Lines from the top": from_the_top, "TFRecord by index": by_index}
access = quick.run(arms, seeds=range(6), cache=False, minutes=0.15)
for (arm, seed), details in access.details.items():
    n = 4 if arm == "JSON Lines from the top" else 500
    assert details["words"] == rows[places(seed, n)[0]]["words"]  # the right row

# %%
print(access.verdict)
course.varies(f"{access.summary()}\nthat is {10**access.difference:,.0f} times as quick")

# %% [markdown]
# ### When it does not help
#
# Was that the format, or the index? JSON Lines can have one too: note where each line
# begins, then `seek`. Both check the types of the row. Guess again.


# %%
def line_starts(path):
    starts = [0]
    with path.open("rb") as file:
        for line in file:
            starts.append(starts[-1] + len(line))
    return starts[:-1]


starts = line_starts(folder / "docs.jsonl")


def lines_by_index(seed):
    with (folder / "docs.jsonl").open("rb") as file:

        def look_up(place):
            file.seek(starts[place])
            row = json.loads(file.readline())
            if any(type(row[name]) is not kind for name, kind in TYPES.items()):
                raise ValueError(f"row {place} is not as declared")
            return row

        return timed(look_up, places(seed, 500))


# %%
title = "a TFRecord with an index gives a random row sooner than JSON Lines with one"
fair = replace(quick, prediction=title, control="JSON Lines by index")
arms = {"JSON Lines by index": lines_by_index, "TFRecord by index": by_index}
same = fair.run(arms, seeds=range(6), cache=False, minutes=0.1)
print(same.verdict)
course.varies(same.summary())

# %% [markdown]
# If it says *no effect found*: the index did it, not the format. Look where the interval
# lies: what is left between the two is far from a factor of ten, whichever is ahead. (And
# in its time the TFRecord looks at two checksums; JSON Lines has none.) CSV cannot be
# indexed by its lines, since a row is not a line; and in a packed file there is no `seek`.
#
# ## Which format when
#
# All of it on one page, for your docstrings:

# %%
for name in FILES:
    start = time.perf_counter()
    assert next(islice(formats.read(folder / name), 30_000, None))
    facts[name]["row 30,000, ms"] = 1e3 * (time.perf_counter() - start)
    arm = next(arm for arm, each in names.items() if each[1:] == name[4:])
    facts[name]["flips let through"] = shares[arm]
facts["docs.tfrecord, index"] = {"row 30,000, ms": 10 ** (access.table.value.min() - 3)}
course.varies(pd.DataFrame(facts).T.round(2).to_string(na_rep=""))

# %% [markdown]
# - To look at it, mend it by hand, open it in a spreadsheet: *CSV*. Everything reads it.
#   Declare the types, and escape formulas (`formulas=True`): a spreadsheet runs a cell
#   that begins with `=`.
# - Rows that differ, lists, version control: *JSON Lines*. A row is a line, so that an
#   index is easy, and types survive, but for bytes and NaN.
# - Many rows for training, over disks and networks that you do not trust: *TFRecord*. A
#   checksum for each record, and the next record behind the damage.
# - Small files, a few of many columns, tables: *Parquet*. Packed, with page checksums if
#   you ask for them.
#
# The article names preference and tools. You have found a third: what can go wrong. From
# one format to another, `formats.convert` reads the new file back, and says what would be
# lost:

# %%
formats.write(folder / "c.jsonl", [{"text": "a", "score": 0.5}, {"text": "b", "score": 0.1}])
try:
    formats.convert(folder / "c.jsonl", folder / "c.tfrecord")
except formats.FormatError as error:
    print(without_folder(error))

# %% [markdown]
# That is what a TFRecord forgets: it keeps a number with a fraction in 32 bits, and Python
# has 64. 0.5 fits in both; 0.1 comes back a little off.
#
# ## Exercises
#
# Stuck? `course.hint("06.1")` gives a hint, `course.solution("06.1")` one way to do it.
#
# **Exercise 06.1** (8 min, difficulty ●●○). One byte holds a length up to 127 only.
# Longer numbers are written as a **varint**: 7 bits a byte, the lowest first, and in
# each byte but the last the highest bit is set, for "more follows". Return the bytes of
# a whole number from 0 on.


# %% tags=["exercise-06.1", "starter"]
def varint(number):
    return ...


# %% tags=["exercise-06.1", "solution"]
def varint(number):
    groups = []
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])


# %%
course.check("06.1", varint)

# %% [markdown]
# **Exercise 06.2** (12 min, difficulty ●●●). Read a TFRecord file. Given all its bytes,
# return the list of the records' data. Where a checksum does not match, or the file ends
# within a record, raise a `ValueError`. `checksum` from above gives the 4 bytes that
# have to be there.


# %% tags=["exercise-06.2", "starter"]
def records_of(data):
    return ...


# %% tags=["exercise-06.2", "solution"]
def records_of(data):
    found, at = [], 0
    while at < len(data):
        length, crc = data[at : at + 8], data[at + 8 : at + 12]
        if crc != checksum(length):
            raise ValueError(f"the length at byte {at} is damaged")
        end = at + 12 + int.from_bytes(length, "little")
        if data[end : end + 4] != checksum(data[at + 12 : end]):
            raise ValueError(f"the record at byte {at} is damaged")
        found.append(data[at + 12 : end])
        at = end + 4
    return found


# %%
course.check("06.2", records_of)

# %% [markdown]
# **Exercise 06.3** (5 min, difficulty ●○○). The index of a JSON Lines file. Given its
# bytes, return at which byte each line begins, so that `data[begin:]` starts with that
# row. Texts have letters that are no ASCII.


# %% tags=["exercise-06.3", "starter"]
def index_of(data):
    return ...


# %% tags=["exercise-06.3", "solution"]
def index_of(data):
    starts = [0]
    for line in data.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts[:-1]


# %%
course.check("06.3", index_of)

# %% [markdown]
# ### Quiz

# %%
quiz = course.Quiz("06")
options = [len(record), len("Hé!".encode()) + 1, len(example)]
quiz.ask(
    "How many bytes did your record with “Hé!” and 5 take in the file?",
    options,
    answer=options.index(len(record)),
    why="The Example, 8 bytes of length and two checksums of 4 bytes.",
)
order = ["CSV", "JSON Lines", "TFRecord"]
quiz.ask(
    "Which let most damaged files through in claim 1?",
    order,
    answer=max(range(3), key=lambda i: shares[order[i]]),
    why="Any letter may stand for any other, and nothing has to match but the quotes.",
)
told = {"the format": access, "the index": same}
quiz.ask(
    "What made the random rows of claim 3 quick?",
    list(told),
    answer=1 if str(same.verdict).startswith("no effect") else 0,
    why="With an index of its own, JSON Lines was as quick to within a factor of ten.",
)
quiz.show()

# %% [markdown]
# ## On your own data
#
# How safe is the format that *your* rows are in now? Change the first line to a file of
# yours: CSV, TSV, JSON, JSON Lines, Parquet or TFRecord. (A file without a header wants
# the names too: `formats.read(mine, columns=["label", "text"])`.) Columns of text and
# numbers are taken, of 2,000 rows, and written in the format that they came in.

# %%
mine = folder / "docs.csv"  # ← "my-file.jsonl"

own_rows = [
    {name: value for name, value in row.items() if isinstance(value, (str, int, float))}
    for row in islice(formats.read(mine), 2_000)
]
if len(own_rows) < 2:
    raise ValueError(f"{mine} has {len(own_rows)} rows: 2 are needed, better 100.")
print(len(own_rows), "rows of", list(own_rows[0]))


# %%
def own_silent(seed, name, n=50, flips=100):
    rng = seeds.rng(seed, "own")
    chosen = [own_rows[i] for i in rng.choice(len(own_rows), min(n, len(own_rows)), replace=False)]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / name
        formats.write(path, chosen)
        data, before, wrong = path.read_bytes(), list(formats.read(path)), 0
        for bit in rng.integers(0, 8 * len(data), flips).tolist():
            path.write_bytes(with_flip(data, bit))
            try:
                wrong += list(formats.read(path)) != before
            except formats.FormatError:
                pass
    return wrong / flips


# %%
ending = Path(mine).suffix.lower()
ending = ending if ending in (".csv", ".tsv", ".json", ".parquet") else ".jsonl"
title = f"a TFRecord lets fewer damaged files of mine through than a {ending} file"
own = replace(safe, prediction=title, control=ending, baselines=())
arms = {
    ending: partial(own_silent, name=f"a{ending}"),
    "TFRecord": partial(own_silent, name="a.tfrecord"),
}
result = own.run(arms, seeds=range(5), minutes=0.1)
print(result.verdict)
course.varies(result.summary())

# %% [markdown]
# ## Further
#
# What carries over to a million times as many rows: bits do flip there, an index is
# worth more, and sizes cost money. What does not: nobody reads a terabyte from one file.
# It is cut into hundreds, *shards*, and shuffled between and within them.
#
# - Bairavasundaram and others (2008), "An Analysis of Data Corruption in the Storage
#   Stack": 1.53 million disks, 41 months, more than 400,000 blocks that no longer matched
#   their checksums. Without one, nobody would have known.
# - Castagnoli, Bräuer and Herrmann (1993), "Optimization of Cyclic
#   Redundancy-Check Codes with 24 and 32 Parity Bits": the polynomial of CRC-32C.
# - [TFRecord and tf.train.Example](https://www.tensorflow.org/tutorials/load_data/tfrecord):
#   the format, from those who made it.
# - [Apache Parquet](https://parquet.apache.org/docs/file-format/): the file format, and
#   its optional page checksums.
# - RFC 4180 and [JSON Lines](https://jsonlines.org): what CSV and JSON Lines are, as far
#   as anybody agrees.

# %%
course.promises_kept("06")
