"""The parts of LangGraph's superstep: which of its functions belongs to which phase.

They are the names through which LangGraph, and fastgraph's replacements, call them; wrapped after
the patch and put back before it is taken away. Of a function that a replacement recognizes by
identity (`prepare_next_tasks`, `stream`) the one around it is taken, so that the profiled run takes
the way it takes otherwise.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from fastgraph.profiling.spans import Phase, Spans

LOOP = "langgraph.pregel._loop"
RUNNER = "langgraph.pregel._runner"
MAIN = "langgraph.pregel.main"

Kind = Literal["call", "coroutine", "generator", "async generator"]


@dataclass(frozen=True)
class Site:
    """One function: its phase, where it is bound, and what calling it gives."""

    phase: Phase
    module: str
    attribute: str
    kind: Kind = "call"


SITES = (
    Site("prepare", LOOP, "PregelLoop.tick"),
    Site("run", RUNNER, "PregelRunner.tick", "generator"),
    Site("run", RUNNER, "PregelRunner.atick", "async generator"),
    Site("commit", RUNNER, "PregelRunner.commit"),
    Site("apply", LOOP, "PregelLoop.after_tick"),
    Site("checkpoint", LOOP, "PregelLoop._put_checkpoint"),
    Site("stream", LOOP, "PregelLoop._emit"),
    Site("stream", LOOP, "PregelLoop.output_writes"),
    Site("stream", MAIN, "_output", "generator"),
    Site("ends", LOOP, "SyncPregelLoop.__enter__"),
    Site("ends", LOOP, "SyncPregelLoop.__exit__"),
    Site("ends", LOOP, "AsyncPregelLoop.__aenter__", "coroutine"),
    Site("ends", LOOP, "AsyncPregelLoop.__aexit__", "coroutine"),
)

#: What a saver is asked for during a run.
SAVER_METHODS = ("get_tuple", "put", "put_writes")


@contextmanager
def timed_sites(spans: Spans) -> Iterator[None]:
    """Time every site for the length of a ``with`` block."""
    with ExitStack() as stack:
        for site in SITES:
            owner: Any = importlib.import_module(site.module)
            *outer, name = site.attribute.split(".")
            for each in outer:
                owner = getattr(owner, each)
            if hasattr(owner, name):  # not in every release
                stack.enter_context(_timed(spans, site, owner, name))
        yield


@contextmanager
def timed_saver(spans: Spans, saver: object) -> Iterator[None]:
    """Time a saver's methods, where its class or one of its bases defines them."""
    with ExitStack() as stack:
        if hasattr(saver, "put_writes"):
            owner = type(saver)
            for name in SAVER_METHODS:
                kinds: tuple[tuple[str, Kind], ...] = ((name, "call"), (f"a{name}", "coroutine"))
                for method, kind in kinds:
                    site = Site("saver", owner.__module__, f"{owner.__qualname__}.{method}", kind)
                    stack.enter_context(_timed(spans, site, owner, method))
        yield


@contextmanager
def _timed(spans: Spans, site: Site, owner: Any, name: str) -> Iterator[None]:
    found = vars(owner).get(name)
    function = getattr(owner, name)
    wrapped: Any
    if site.kind == "coroutine":
        wrapped = spans.timed_async(function, site.phase, site.attribute)
    elif site.kind == "generator":
        wrapped = spans.timed_generator(function, site.phase, site.attribute)
    elif site.kind == "async generator":
        wrapped = spans.timed_async_generator(function, site.phase, site.attribute)
    else:
        of_loop = site.phase == "prepare"
        wrapped = spans.timed(function, site.phase, site.attribute, of_loop=of_loop)
    setattr(owner, name, wrapped)
    try:
        yield
    finally:
        if found is None:
            delattr(owner, name)
        else:
            setattr(owner, name, found)
