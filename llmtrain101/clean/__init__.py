"""Rules that mend or drop rows, and a pipeline that counts what each of them did.

A *value function* takes one value and returns it mended (`whitespace`, `number`, `date`); `column`
makes a rule of it. A *rule* takes all rows, each a dict, and returns as many: mended, or a `Drop`
that says why not. `Pipeline` runs rules in order, keeps what was dropped, and can undo one.
"""

from llmtrain101.clean._pipeline import Cleaned, Dropped, Pipeline
from llmtrain101.clean._rules import (
    Drop,
    column,
    drop_conflicts,
    drop_duplicates,
    drop_inconsistent,
    drop_missing,
    drop_near_duplicates,
    drop_out_of_range,
    each_text,
    fill_missing,
    keep_language,
    keep_length,
)
from llmtrain101.clean._standard import category, date, missing, number
from llmtrain101.clean._text import (
    mask_personal,
    normalise,
    repair_encoding,
    strip_markup,
    whitespace,
)

# it is found there because `sources.split` needs it; cleaning is where it is looked for
from llmtrain101.sources import near_duplicates

__all__ = [
    "Cleaned",
    "Drop",
    "Dropped",
    "Pipeline",
    "category",
    "column",
    "date",
    "drop_conflicts",
    "drop_duplicates",
    "drop_inconsistent",
    "drop_missing",
    "drop_near_duplicates",
    "drop_out_of_range",
    "each_text",
    "fill_missing",
    "keep_language",
    "keep_length",
    "mask_personal",
    "missing",
    "near_duplicates",
    "normalise",
    "number",
    "repair_encoding",
    "strip_markup",
    "whitespace",
]
