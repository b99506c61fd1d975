"""Benchmarks for asv, and the graphs that all benchmarks are made of.

asv imports this package by itself, with fastgraph installed from a wheel. What else is in the
checkout is found behind that.
"""

import sys
from pathlib import Path

_CHECKOUT = str(Path(__file__).resolve().parents[2])
if _CHECKOUT not in sys.path:
    sys.path.append(_CHECKOUT)
