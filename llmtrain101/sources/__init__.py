"""Real data that is on the machine once the course is installed: read in place, never downloaded.

`data_sheet(name)` says for each source what it is, whose it is and what is wrong with it. Nothing
here imports the packages whose texts it reads; numpy and pandas are imported when a table is made.
"""

from llmtrain101.sources._digits import Digits, digits
from llmtrain101.sources._docstrings import PACKAGES, docstrings
from llmtrain101.sources._manual import manual
from llmtrain101.sources._natural import pairs, questions, review_guidelines, reviews
from llmtrain101.sources._near_duplicates import near_duplicates
from llmtrain101.sources._paragraphs import first_paragraphs
from llmtrain101.sources._ratings import ratings
from llmtrain101.sources._sheets import SOURCES, DataSheet, data_page, data_sheet
from llmtrain101.sources._splits import pretraining_text, split
from llmtrain101.sources._translations import translations

__all__ = [
    "PACKAGES",
    "SOURCES",
    "DataSheet",
    "Digits",
    "data_page",
    "data_sheet",
    "digits",
    "docstrings",
    "first_paragraphs",
    "manual",
    "near_duplicates",
    "pairs",
    "pretraining_text",
    "questions",
    "ratings",
    "review_guidelines",
    "reviews",
    "split",
    "translations",
]
