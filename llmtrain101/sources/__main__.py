"""Write the page of data sheets: `python -m llmtrain101.sources docs/data.md`."""

import sys
from pathlib import Path

from llmtrain101.sources import data_page

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m llmtrain101.sources docs/data.md")
    Path(sys.argv[1]).write_text(data_page(count=True), encoding="utf-8", newline="\n")
