"""Dicts that know more stay dicts, whatever is done to them."""

from __future__ import annotations

import copy
import pickle
import sys
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

indexed_dicts = pytest.importorskip(
    "fastgraph.kernels.indexed_dicts", reason="the extensions are not built"
)
GroupedDict, LatestDict = indexed_dicts.GroupedDict, indexed_dicts.LatestDict

FIRSTS = st.sampled_from(["a", "b", "c"])
KEYS = st.tuples(FIRSTS, st.integers(0, 5))
CHANGES = ["set", "delete", "pop", "popitem", "clear", "update", "setdefault", "or", "missing"]


def change(target: Any, name: str, key: Any) -> Any:
    """Change a dict somehow; what came of it."""
    try:
        if name == "set":
            target[key] = 1
        elif name == "delete":
            del target[key]
        elif name == "pop":
            return target.pop(key)
        elif name == "popitem":
            return target.popitem()
        elif name == "clear":
            target.clear()
        elif name == "update":
            target.update({key: 2})
        elif name == "setdefault":
            return target.setdefault(key, 3)
        elif name == "or":
            target |= {key: 4}
        else:
            return target[key]
    except KeyError as error:
        return repr(error)


GROUPED_STEPS = st.one_of(
    st.tuples(st.just("set"), KEYS),
    st.tuples(st.just("set"), KEYS),
    st.tuples(st.just("drop"), FIRSTS),
    st.tuples(st.sampled_from(CHANGES), KEYS),
    st.tuples(st.just("set"), st.sampled_from([("x",), 1, (2, 3), ()])),
)


@given(st.lists(GROUPED_STEPS, max_size=40))
def test_a_group_is_what_a_look_at_each_key_finds(steps: list[Any]) -> None:
    plain: Any = defaultdict(list)
    grouped = GroupedDict(list)
    for name, key in steps:
        if name != "drop":
            assert change(grouped, name, key) == change(plain, name, key)
            continue
        odd = any(type(each) is not tuple or type((*each, 0)[0]) is not str for each in plain)
        dropped = grouped.drop_group(key)
        assert dropped or odd
        if dropped:
            for each in [each for each in plain if each[0] == key]:
                del plain[each]
        assert grouped == plain and list(grouped) == list(plain)
    assert repr(grouped) == repr(plain)


LATEST_STEPS = st.one_of(
    st.tuples(st.just("set"), st.text("abc", max_size=3)),
    st.tuples(st.sampled_from(CHANGES[:-1]), st.text("abc", max_size=3)),
)


@given(st.lists(LATEST_STEPS, max_size=40))
def test_the_latest_key_is_the_greatest(steps: list[Any]) -> None:
    plain: dict[Any, Any] = {}
    latest = LatestDict()
    for name, key in steps:
        assert change(latest, name, key) == change(plain, name, key)
        assert latest == plain and repr(latest) == repr(plain)
        if plain:
            assert latest.latest() == max(plain)
        else:
            with pytest.raises(ValueError, match="empty"):
                latest.latest()


def test_keys_that_are_not_strings_compare_as_they_do() -> None:
    latest = LatestDict()
    for key in (1, 3, 2):
        latest[key] = None
        assert latest.latest() == max(latest)
    latest["text"] = None
    with pytest.raises(TypeError):
        latest.latest()


def test_what_changes_a_dict_from_below_is_noticed() -> None:
    grouped, latest = GroupedDict(), LatestDict()
    grouped["a", 1] = 0
    latest["a"] = 0
    dict.update(grouped, {("a", 2): 0, ("b", 1): 0})
    dict.update(latest, {"b": 0})
    assert latest.latest() == "b"
    assert grouped.drop_group("a")
    assert list(grouped) == [("b", 1)]


def filled() -> Any:
    grouped = GroupedDict(dict)
    grouped["a", 1]["x"] = 1
    grouped["b", 1] = {"y": 2}
    return grouped


@pytest.mark.parametrize(
    "copied",
    [
        copy.copy,
        copy.deepcopy,
        lambda each: each.copy(),
        lambda each: each | {},
        lambda each: {} | each,
        lambda each: pickle.loads(pickle.dumps(each)),
    ],
)
def test_a_copy_is_the_dict_that_upstream_would_have(copied: Any) -> None:
    plain: Any = defaultdict(dict, filled())
    ours, theirs = copied(filled()), copied(plain)
    assert type(ours) is type(theirs) and ours == theirs
    assert ours.default_factory is theirs.default_factory
    latest = LatestDict()
    latest["a"] = 1
    ours, theirs = copied(latest), copied({"a": 1})
    assert type(ours) is type(theirs) is dict and ours == theirs


def test_both_are_what_they_stand_in_for() -> None:
    assert isinstance(GroupedDict(dict), defaultdict)
    assert GroupedDict(dict).default_factory is dict
    with pytest.raises(KeyError):
        GroupedDict()["a", 1]
    assert isinstance(LatestDict({"a": 1}), dict)
    assert LatestDict({"a": 1}).latest() == "a"
    assert GroupedDict(None, {("a", 1): 0}).drop_group("a")


def test_nothing_is_kept_of_what_was_removed() -> None:
    class Value:
        pass

    value = Value()
    before = sys.getrefcount(value)
    grouped, latest = GroupedDict(), LatestDict()
    for number in range(100):
        grouped["a", number] = value
        latest[str(number)] = value
    assert grouped.drop_group("a") and not grouped._groups
    latest.clear()
    assert sys.getrefcount(value) == before
