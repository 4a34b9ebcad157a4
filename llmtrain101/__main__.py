"""`python -m llmtrain101` is the command `llmtrain101`."""

import sys

from llmtrain101.cli import main

if __name__ == "__main__":
    sys.exit(main())
