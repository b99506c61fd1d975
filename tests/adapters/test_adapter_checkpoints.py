"""What a checkpoint is made of besides the channels: metadata, versions, paths and timestamps."""

from __future__ import annotations

import datetime as clock
import random
from collections import ChainMap
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from langgraph._internal import _config
from langgraph.checkpoint import base
from langgraph.errors import GraphInterrupt
from langgraph.pregel import _algo, _checkpoint, _executor, _utils

import fastgraph

FUNCTIONS = (
    (_algo, "task_path_str"),
    (_utils, "get_new_channel_versions"),
    (base, "get_checkpoint_metadata"),
    (_config, "merge_configs"),
)
STOCK = {name: getattr(module, name) for module, name in FUNCTIONS}
with fastgraph.patched(strict=True):
    OURS = {name: getattr(module, name) for module, name in FUNCTIONS}


def outcome(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function returns, with the order of its keys, or what it raises."""
    try:
        value = function(*arguments)
    except Exception as error:
        return type(error), str(error)
    return value, repr(value)


def both(name: str, *arguments: Any) -> tuple[Any, Any]:
    """What a function makes of the same arguments, stock and patched."""
    assert STOCK[name] is not OURS[name]
    return outcome(STOCK[name], *arguments), outcome(OURS[name], *arguments)


# Paths

paths = st.recursive(
    st.one_of(
        st.text(max_size=3),
        st.integers(-(10**11), 10**11),
        st.booleans(),
        st.none(),
        st.floats(allow_nan=False),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.lists(inner, max_size=4).map(tuple),
    max_leaves=8,
)


@given(paths)
@example(10**10)
@example(10**10 - 1)
@example(2**70)
def test_paths_are_spelled_the_same(path: Any) -> None:
    stock, patched = both("task_path_str", path)
    assert patched == stock


def test_a_deep_path_is_spelled_the_same() -> None:
    path: Any = ("leaf", 1)
    for _ in range(60):
        path = (path, True)
    stock, patched = both("task_path_str", path)
    assert patched == stock


# Versions

texts = st.text("01.", max_size=3)
versions = st.dictionaries(
    st.sampled_from("abcd"), st.one_of(texts, texts, st.integers(0, 3)), max_size=4
)


@given(versions, versions)
@example({}, {"a": 1})
@example({"a": "1"}, {})
@example({"a": "1"}, {"a": 2})
def test_the_same_versions_are_newer(previous: dict[str, Any], current: dict[str, Any]) -> None:
    stock, patched = both("get_new_channel_versions", previous, current)
    assert patched == stock


def test_without_a_previous_checkpoint_the_versions_are_handed_back() -> None:
    current = {"a": "1"}
    with fastgraph.patched(strict=True):
        assert _utils.get_new_channel_versions({}, current) is current


# Timestamps


@pytest.mark.parametrize("microsecond", [0, 1, 999_999, 120_000])
@pytest.mark.parametrize("zone", [clock.timezone.utc, clock.timezone(clock.timedelta(hours=-3))])
@pytest.mark.parametrize("year", [1, 987, 2026, 9999])
def test_timestamps_are_written_the_same(
    monkeypatch: pytest.MonkeyPatch, year: int, zone: clock.timezone, microsecond: int
) -> None:
    now = clock.datetime(year, 1, 2, 3, 4, 59, microsecond, zone)

    class Clock:
        @staticmethod
        def now(_: Any) -> clock.datetime:
            return now

    checkpoint = base.empty_checkpoint()
    monkeypatch.setattr(_checkpoint, "datetime", Clock)
    with fastgraph.patched(strict=True):
        made = _checkpoint.create_checkpoint(checkpoint, None, 0)
    assert made["ts"] == now.isoformat()


# Metadata

leaves = st.one_of(
    st.text(max_size=3), st.integers(), st.booleans(), st.none(), st.just("with\0nul")
)
keys = st.sampled_from(["a", "b", "__c", "thread_id", "checkpoint_id", "lc_versions"])
dicts = st.dictionaries(keys, st.one_of(leaves, st.dictionaries(keys, leaves, max_size=2)))
#: What the metadata of a run may be: a dict, a chain of dicts, or anything that reads like one.
mappings = st.one_of(
    dicts,
    st.lists(dicts, min_size=1, max_size=3).map(lambda maps: ChainMap(*maps)),
    st.lists(dicts, min_size=1, max_size=2).map(lambda maps: ChainMap(*map(ChainMap, maps))),
    dicts.map(MappingProxyType),
)


@given(st.none() | mappings, st.none() | mappings, dicts)
def test_stored_metadata_is_the_same(given_: Any, configurable: Any, metadata: Any) -> None:
    config = {"metadata": given_, "configurable": configurable}
    stock, patched = both("get_checkpoint_metadata", config, metadata)
    assert patched == stock


@given(st.lists(mappings, min_size=1, max_size=3))
def test_merged_metadata_is_the_same(several: list[Any]) -> None:
    configs = [{"metadata": each} for each in several]
    stock, patched = both("merge_configs", *configs)
    assert patched == stock


# Background tasks


def ended(how: str) -> Future[Any]:
    task: Future[Any] = Future()
    if how == "cancelled":
        task.cancel()
    elif how == "finished":
        task.set_result(1)
    else:
        task.set_exception(GraphInterrupt() if how == "interrupted" else KeyError("x"))
    return task


class Own(Future):  # type: ignore[type-arg]
    """Somebody's own kind of future."""


@pytest.mark.parametrize("how", ["finished", "interrupted", "failed", "cancelled"])
def test_the_same_tasks_are_forgotten(how: str) -> None:
    kept = []
    for engine in ("stock", "patched"):
        executor = _executor.BackgroundExecutor({})
        task = ended(how)
        executor.tasks[task] = (False, True)
        if engine == "stock":
            executor.done(task)
        else:
            with fastgraph.patched(strict=True):
                executor.done(task)
        kept.append(task in executor.tasks)
    assert kept == [how in ("failed", "cancelled")] * 2
    if how == "cancelled":
        with pytest.raises(CancelledError):
            task.result()


def test_a_future_of_another_kind_is_upstreams_to_forget() -> None:
    executor = _executor.BackgroundExecutor({})
    task = Own()
    task.set_result(random.random())
    executor.tasks[task] = (False, True)
    with fastgraph.patched(strict=True):
        executor.done(task)
    assert task not in executor.tasks
