"""Which engine asv measures: the matrix of asv.conf.json says so by a variable."""

from __future__ import annotations

import os

import fastgraph

#: Set by asv.conf.json, for both values in turn.
ENGINE = os.environ.get("BENCH_ENGINE", "patched")


def switch_on() -> None:
    """Patch, if that is the engine; an older LangGraph is patched as far as it is known."""
    if ENGINE == "patched":
        fastgraph.patch()


def only_patched() -> None:
    """Leave out a benchmark that compares both engines itself, or says something of ours."""
    if ENGINE != "patched":
        raise NotImplementedError("told once, for patched")
