"""English–French pairs by JupyterLab's translators: its French language pack."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from llmtrain101.sources import _installed

if TYPE_CHECKING:
    import pandas as pd

PLACEHOLDER = re.compile(r"%\d")  # replaced by a name or a number when the text is shown


def translations() -> pd.DataFrame:
    """English–French pairs of interface texts, each pair once, in the order of the files.

    The header of each file, empty translations, and second copies of a pair are left out. Of a text
    with plural forms, the singular is taken: the English plural is not in the files. All else is
    kept and marked, for you to choose.

    Returns
    -------
    DataFrame, one row for each pair
        english, french : str, as in the file, white space at the ends included;
        component : str, the program it is from, for example `"jupyterlab_git"`;
        context : str, where it is shown (`"settings"`, `"menu"` …), often empty;
        words : int64, words of the English, split at white space;
        lines : int64, lines of the English;
        placeholder : bool, whether it has a `%1`, `%2` … on either side;
        plural : bool, whether French has more forms for it;
        same : bool, whether the French equals the English (names, or not translated).

    Raises
    ------
    ModuleNotFoundError
        If the language pack is not installed.
    ValueError
        If one of its files is not as expected; the file is named.

    Examples
    --------
    >>> table = translations()
    >>> table[table.english == "Close"].french.tolist()
    ['Fermer']
    >>> sentences = table[(table.words >= 4) & (table.lines == 1) & ~table.placeholder]
    >>> bool(sentences.english.str.contains("%1").any())
    False
    """
    import pandas as pd

    found = _installed.folders("jupyterlab_language_pack_fr_FR")
    files = sorted(file for folder in found for file in folder.glob("locale/*/*/*.json"))
    if not files:
        pack = "jupyterlab-language-pack-fr-FR"
        raise _installed.missing("translations()", {pack: pack})
    pairs: dict[tuple[str, str], tuple[str, str, bool]] = {}  # the first place of each pair
    for file in files:
        try:
            for key, forms in json.loads(file.read_text(encoding="utf-8")).items():
                context, _, english = key.rpartition("\x04")  # as in gettext
                if english.strip() and forms and forms[0].strip():
                    pairs.setdefault((english, forms[0]), (file.stem, context, len(forms) > 1))
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{file.name} is not a file of translations: {error}") from error
    rows = [
        (
            english, french, *place, len(english.split()), len(english.strip().splitlines()),
            bool(PLACEHOLDER.search(english + french)), plural, english == french,
        )
        for (english, french), (*place, plural) in pairs.items()
    ]  # fmt: skip
    return pd.DataFrame(
        rows,
        columns=[
            "english", "french", "component", "context", "words", "lines",
            "placeholder", "plural", "same",
        ],
    )  # fmt: skip
