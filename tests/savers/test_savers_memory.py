"""The in-memory saver: the same content, whoever put it there, and no look through all threads."""

from __future__ import annotations

import asyncio
import copy
import pickle
import random
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from adapter_drivers import stored
from hypothesis import given
from hypothesis import strategies as st
from langgraph.checkpoint import base, memory
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from savers_programs import arun, failure, fallbacks, names, run

import fastgraph

TARGETS = names("InMemorySaver")
CONFIG: Any = {"configurable": {"thread_id": "1", "checkpoint_ns": ""}}
CHECKPOINT: Any = {
    "v": 4,
    "id": "c",
    "ts": "",
    "channel_values": {"a": [1]},
    "channel_versions": {"a": "1"},
    "versions_seen": {},
}


def content(saver: InMemorySaver) -> Any:
    """All that is stored, in the order of the dicts."""
    storage = {
        thread: {ns: list(checkpoints.items()) for ns, checkpoints in spaces.items()}
        for thread, spaces in saver.storage.items()
    }
    writes = [(key, list(written.items())) for key, written in saver.writes.items()]
    return storage, writes, list(saver.blobs.items())


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("thread_ids", [("one", "two"), (1, "1", 1.5)])
def test_a_program_leaves_the_same_and_gives_the_same(seed: int, thread_ids: Any) -> None:
    saver = InMemorySaver()
    stock = run(seed, saver, thread_ids=thread_ids), content(saver)
    before = fallbacks()
    with fastgraph.patched(TARGETS, strict=True):
        saver = InMemorySaver()
        assert (run(seed, saver, thread_ids=thread_ids), content(saver)) == stock
        saver = InMemorySaver()
        program = arun(seed, saver, thread_ids=thread_ids)
        assert (asyncio.run(program), content(saver)) == stock
    assert fallbacks() == before


@pytest.mark.parametrize("seed", range(10))
def test_a_saver_can_change_hands_at_any_time(seed: int) -> None:
    """Made stock or patched, filled by both, and read by both."""

    def runs(*engines: bool) -> Any:
        def patched(yes: bool) -> Any:
            return fastgraph.patched(TARGETS if yes else [], strict=True)

        with patched(engines[0]):
            saver = InMemorySaver()
        outcomes = []
        for number, yes in enumerate(engines[1:]):
            with patched(yes):
                outcomes.append(run(seed + number, saver, length=20))
        return outcomes, content(saver)

    stock = runs(False, False, False, False)
    assert runs(True, False, True, False) == stock
    assert runs(False, True, False, True) == stock


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_saver_works(copied: Any) -> None:
    with fastgraph.patched(TARGETS):
        saver = InMemorySaver()
        run(3, saver)
        clone = copied(saver)
        assert content(clone) == content(saver)
        saver.delete_thread("one")
        clone.delete_thread("one")
        assert content(clone) == content(saver)


def test_what_is_stored_pickles_without_fastgraph() -> None:
    with fastgraph.patched(TARGETS):
        saver = InMemorySaver()
        run(3, saver)
        for part in (dict(saver.storage), saver.writes, saver.blobs):
            pickled = pickle.dumps(part)
            assert b"fastgraph" not in pickled
            assert pickle.loads(pickled) == part


# No look through all threads.


def filled(threads: int, checkpoints: int) -> InMemorySaver:
    saver = InMemorySaver()
    for thread in range(threads):
        for number in range(checkpoints):
            config: Any = {"configurable": {"thread_id": f"{thread}", "checkpoint_ns": ""}}
            at = saver.put(config, {**CHECKPOINT, "id": f"{number:05}"}, {}, {"a": f"{number}"})
            saver.put_writes(at, [("a", 1)], "task")
    return saver


def test_deleting_a_thread_leaves_the_others_alone() -> None:
    with fastgraph.patched(TARGETS):
        saver = filled(20, 3)
        rest = [key for key in saver.writes if key[0] != "7"]
        saver.delete_thread("7")
        assert list(saver.writes) == rest
        assert len(saver.blobs) == 57 and "7" not in saver.storage
        # Nothing had to be looked through, nor has it to be for the next one.
        for entries in (saver.writes, saver.blobs):
            assert entries._known == len(entries) == 57


def test_a_thread_knows_its_latest_checkpoint() -> None:
    with fastgraph.patched(TARGETS):
        saver = filled(1, 5)
        checkpoints: Any = saver.storage["0"][""]
        assert checkpoints.latest() == "00004"
        config: Any = {"configurable": {"thread_id": "0", "checkpoint_ns": ""}}
        saver.put(config, {**CHECKPOINT, "id": "00003x"}, {}, {})
        assert checkpoints.latest() == saver.get_tuple(config).checkpoint["id"] == "00004"
        del checkpoints["00004"]
        assert saver.get_tuple(config).checkpoint["id"] == "00003x"


# Dicts that are not upstream's, subclasses, other serializers.


class Shouting(InMemorySaver):
    said: list[str]

    def __init__(self) -> None:
        super().__init__()
        self.said = []

    def _load_blobs(self, *arguments: Any) -> Any:
        self.said.append("blobs")
        return super()._load_blobs(*arguments)

    def put(self, *arguments: Any) -> Any:
        self.said.append("put")
        return super().put(*arguments)


def test_a_subclass_is_asked_as_upstream_asks_it() -> None:
    def ask() -> Any:
        saver = Shouting()
        outcomes = run(5, saver)
        assert type(saver.writes) is defaultdict
        return outcomes, content(saver), saver.said

    stock = ask()
    assert set(stock[2]) == {"blobs", "put"}
    with fastgraph.patched(TARGETS):
        assert ask() == stock


class Recording(JsonPlusSerializer):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Any] = []

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        self.calls.append(("dumps", repr(obj)))
        return super().dumps_typed(obj)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        self.calls.append(("loads", data))
        return super().loads_typed(data)


@pytest.mark.parametrize("seed", range(5))
def test_a_serializer_is_asked_for_the_same_in_the_same_order(seed: int) -> None:
    def calls() -> list[Any]:
        serde = Recording()
        run(seed, InMemorySaver(serde=serde))
        return serde.calls

    stock = calls()
    with fastgraph.patched(TARGETS):
        assert calls() == stock


class Closing(defaultdict):  # type: ignore[type-arg]
    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: Any) -> None:
        return None


def test_a_factory_makes_the_dicts() -> None:
    def fill() -> Any:
        saver = InMemorySaver(factory=Closing)
        assert type(saver.writes) is type(saver.blobs) is Closing
        return run(5, saver), content(saver)

    stock = fill()
    with fastgraph.patched(TARGETS):
        assert fill() == stock


def test_dicts_that_somebody_put_there() -> None:
    def fill() -> Any:
        saver = InMemorySaver()
        saver.writes, saver.blobs = defaultdict(dict), {}
        saver.storage["one"][""] = {}
        saver.storage["two"] = {"": {}, "sub": {}}  # type: ignore[assignment]
        return run(5, saver), content(saver)

    stock = fill()
    with fastgraph.patched(TARGETS):
        assert fill() == stock


class Unserializable:
    def __reduce__(self) -> Any:
        raise TypeError("not today")


def failing() -> Any:
    saver = InMemorySaver()
    said = []
    unhashable: Any = {"configurable": {"thread_id": [], "checkpoint_ns": ""}}
    unstorable = {**CHECKPOINT, "channel_values": {"a": Unserializable()}}
    at: Any = {"configurable": {**CONFIG["configurable"], "checkpoint_id": "c"}}
    for call in (
        lambda: saver.put(CONFIG, unstorable, {}, {"b": "1", "a": "1"}),
        lambda: saver.put(CONFIG, CHECKPOINT, {"a": Unserializable()}, {}),
        lambda: saver.put(CONFIG, {"id": "c"}, {}, {}),
        lambda: saver.put({"configurable": {"thread_id": "2"}}, CHECKPOINT, {}, {}),
        lambda: saver.put(unhashable, CHECKPOINT, {}, {}),
        lambda: saver.put_writes(at, [("a", 1), ("b", Unserializable())], "task"),
        lambda: saver.put_writes(at, [("a", 1), None], "task"),
        lambda: saver.put_writes(CONFIG, [("a", 1)], "task"),
        lambda: saver.get_tuple({}),
        lambda: saver.get_tuple({"configurable": {}}),
        lambda: list(saver.list({"metadata": {}})),
    ):
        said.append(failure(call))
    return said, content(saver)


def test_calls_fail_as_upstream() -> None:
    stock = failing()
    with fastgraph.patched(TARGETS):
        assert failing() == stock


def test_a_list_is_as_lazy_as_upstreams() -> None:
    def listed() -> Any:
        saver = InMemorySaver()
        run(5, saver)
        listing = saver.list({"metadata": {}})  # nothing is read so far
        with pytest.raises(KeyError):
            next(listing)
        some: Any = saver.list(None)
        first = next(some)
        for thread in list(saver.storage):
            saver.storage[thread].clear()
        try:
            rest: Any = list(some)
        except RuntimeError as error:
            rest = str(error)
        return repr(first), repr(rest)

    stock = listed()
    with fastgraph.patched(TARGETS):
        assert listed() == stock


# Version strings and metadata.

VERSIONS: list[Any] = [
    None, 0, 1, 41, 10**16, 10**17, 10**40, True, -3, 2.0, "", "7", "7.x", "x.1", ".5",
    f"{5:032}.x", f"{99:032}.0.5", f"{10**17:032}.1", "٣" * 32 + ".1", f"{-5:032}.1",
    f" {5:031}.1", f"{5:_>32}.1", f"{5:033}.1", b"1.2", [1],
]  # fmt: skip
FRACTIONS = [0.0, 0.5, 1e-17, 0.1234567890123456789, 1e-5, 0.9999999999999999]


@pytest.mark.parametrize("fraction", FRACTIONS)
def test_versions_are_upstreams(fraction: float, monkeypatch: pytest.MonkeyPatch) -> None:
    def versions() -> list[Any]:
        found = []
        for version in VERSIONS:
            try:
                found.append(InMemorySaver().get_next_version(version, None))
            except Exception as error:
                found.append((type(error), str(error)))
        return found

    monkeypatch.setattr(random, "random", lambda: fraction)
    stock = versions()
    with fastgraph.patched(TARGETS):
        assert versions() == stock


def test_a_chain_of_versions_draws_as_many_random_numbers() -> None:
    def chain() -> list[Any]:
        random.seed(1)
        versions: list[Any] = [None]
        for _ in range(200):
            versions.append(InMemorySaver().get_next_version(versions[-1], None))
        return [*versions, random.random()]

    stock = chain()
    with fastgraph.patched(TARGETS):
        assert chain() == stock


class Text(str):
    __slots__ = ()


SIMPLE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text("ab\x00é€😀", max_size=5),
    st.text("ab\x00", max_size=5).map(Text),
    st.lists(st.integers(), max_size=2),
)
NAMES = st.one_of(
    st.text("_a\x00", max_size=4),
    st.text("_a\x00", max_size=4).map(Text),
    st.sampled_from([*sorted(base.EXCLUDED_METADATA_KEYS), "run_id", "é", "__é"]),
)
DICTS = st.dictionaries(NAMES, SIMPLE, max_size=6)
CONFIGS = st.fixed_dictionaries(
    {}, optional={"metadata": DICTS | st.none(), "configurable": DICTS, "tags": st.none()}
)


@given(CONFIGS, DICTS)
def test_metadata_is_upstreams(config: Any, metadata: Any) -> None:
    with fastgraph.patched([]):
        stock = base.get_checkpoint_metadata(config, metadata)
    before = copy.deepcopy((config, metadata))
    with fastgraph.patched(["get_checkpoint_metadata"]):
        assert memory.get_checkpoint_metadata is base.get_checkpoint_metadata
        patched = base.get_checkpoint_metadata(config, metadata)
    assert list(patched.items()) == list(stock.items())
    assert [type(value) for value in patched.values()] == [type(v) for v in stock.values()]
    assert (config, metadata) == before


def test_other_keys_and_mappings_of_metadata() -> None:
    def outcomes() -> list[Any]:
        found = []
        for config, metadata in (
            ({"configurable": {1: "x"}}, {}),
            ({"metadata": defaultdict(str, a="b\x00")}, {}),
            ({"metadata": [], "configurable": 0}, {"a": "b\x00"}),
            ({"metadata": [1]}, {}),
            (defaultdict(dict, metadata={"a": 1}), {}),
            ({}, defaultdict(str, {"k\x00": "v\x00"})),
            ([], {}),
            ({}, None),
        ):
            try:
                found.append(repr(base.get_checkpoint_metadata(config, metadata)))  # type: ignore[arg-type]
            except Exception as error:
                found.append((type(error), str(error)))
        return found

    stock = outcomes()
    with fastgraph.patched(["get_checkpoint_metadata"]):
        assert outcomes() == stock


def test_what_a_patched_saver_stores_compares_with_what_a_stock_one_stores() -> None:
    saver = InMemorySaver()
    run(1, saver)
    with fastgraph.patched(TARGETS):
        other = InMemorySaver()
        run(1, other)
        assert stored(other) == stored(saver)
        assert other.writes == saver.writes and other.blobs == saver.blobs
        assert repr(other.writes) == repr(saver.writes)


def test_threads_put_and_delete_at_the_same_time() -> None:
    def work(name: str, saver: InMemorySaver) -> None:
        for _ in range(15):
            run(4, saver, thread_ids=(name,))
            saver.delete_thread(name)
        run(4, saver, thread_ids=(name,))

    with fastgraph.patched(TARGETS):
        saver, calm = InMemorySaver(), InMemorySaver()
        workers = [str(number) for number in range(4)]
        with ThreadPoolExecutor() as pool:
            list(pool.map(work, workers, [saver] * 4))
        for name in workers:
            work(name, calm)
            saver.delete_thread("nobody")
        assert sorted(saver.writes) == sorted(calm.writes)
        assert {key[:3] for key in saver.blobs} == {key[:3] for key in calm.blobs}
        for name in workers:
            saver.delete_thread(name)
        assert not saver.writes and not saver.blobs
