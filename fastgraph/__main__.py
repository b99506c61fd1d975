"""``python -m fastgraph``."""

import sys

from fastgraph.cli import main

# Success returns instead of raising SystemExit(0), which ``python -i`` would report.
if exit_code := main():
    sys.exit(exit_code)
