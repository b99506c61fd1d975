"""Every implementation of `TriggerIndex` against the definition in its docstring."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

NODES = ("n2", "n10", "a", "B", "ä", "node", "z", "c")
CHANNELS = ("start", "c1", "c2", "c3", "c4")
FAMILIES = (
    st.integers(-2, 3),
    st.sampled_from([0.0, -1.0, 1.0, 2.5, float("nan")]),
    st.text("01.", max_size=2),
    st.integers(0, 2) | st.sampled_from([0.5, 1.0, float("nan")]) | st.booleans(),
)

triggers = st.dictionaries(
    st.sampled_from(NODES), st.lists(st.sampled_from(CHANNELS), max_size=4)
).flatmap(lambda graph: st.permutations(list(graph.items())).map(dict))
names = st.lists(st.sampled_from((*CHANNELS, "unknown")), max_size=6)


@st.composite
def situations(draw):
    versions = draw(st.sampled_from(FAMILIES))
    by_channel = st.dictionaries(st.sampled_from(CHANNELS), versions)
    return (
        draw(triggers),
        draw(st.dictionaries(st.sampled_from(CHANNELS), versions, min_size=1)),
        draw(st.dictionaries(st.sampled_from(NODES), st.none() | by_channel)),
        draw(names),
    )


def is_triggered(channels, versions, read, available):
    null = type(next(iter(versions.values())))()
    return any(
        channel in available
        and (read is None or versions.get(channel, null) > read.get(channel, null))
        for channel in channels
    )


@given(situations())
def test_triggered_is_what_asking_every_node_finds_in_the_graphs_order(kernels, situation):
    graph, versions, seen, available = situation
    index, vector = kernels.TriggerIndex(graph), kernels.VersionVector(versions)
    expected = [
        node
        for node, channels in graph.items()
        if is_triggered(channels, versions, seen.get(node), available)
    ]
    for _ in range(2):
        assert index.triggered(vector, seen, available) == expected
    assert index.triggered(vector, seen, iter(available)) == expected


@given(triggers, names)
def test_updated_is_every_node_behind_a_channel_sorted_by_name(kernels, graph, updated):
    index = kernels.TriggerIndex(graph)
    expected = sorted(node for node, channels in graph.items() if set(channels) & set(updated))
    assert index.updated(updated) == expected
    assert index.updated(iter(updated)) == expected
    assert index.updated(set(updated)) == expected


@given(triggers)
def test_nodes_and_channels_are_the_graphs(kernels, graph):
    index = kernels.TriggerIndex(graph)
    assert len(index) == len(graph)
    in_order = list(dict.fromkeys(channel for channels in graph.values() for channel in channels))
    assert index.channels == tuple(in_order)
    for channel in (*CHANNELS, "unknown"):
        subscribed = (node for node, channels in graph.items() if channel in channels)
        assert index.nodes(channel) == tuple(sorted(subscribed))
    assert repr(index) == f"TriggerIndex(nodes={len(graph)}, channels={len(in_order)})"


def test_an_empty_graph_triggers_nothing(kernels):
    index = kernels.TriggerIndex({})
    assert (len(index), index.channels, index.nodes("a"), index.updated(["a"])) == (0, (), (), [])
    assert index.triggered(kernels.VersionVector({"a": 1}), {}, ["a"]) == []


def test_a_node_without_triggers_never_runs(kernels):
    index = kernels.TriggerIndex({"lonely": [], "b": ["c"]})
    assert index.triggered(kernels.VersionVector({"c": 1}), {}, ["c"]) == ["b"]


def test_a_node_that_has_not_run_needs_no_version(kernels):
    index = kernels.TriggerIndex({"b": ["c"], "a": ["c", "d"]})
    assert index.triggered(kernels.VersionVector(), {}, ["c"]) == ["b", "a"]
    assert index.triggered(kernels.VersionVector(), {}, []) == []
    assert index.triggered(kernels.VersionVector({"x": 3}), {"b": {}}, ["c"]) == ["a"]


@pytest.mark.parametrize(("version", "below"), [(3, -1), (3.5, -0.5)])
def test_an_available_channel_without_a_version_has_the_null_version(kernels, version, below):
    index, vector = kernels.TriggerIndex({"a": ["c"]}), kernels.VersionVector({"x": version})
    assert index.triggered(vector, {"a": {"c": below}}, ["c"]) == ["a"]
    assert index.triggered(vector, {"a": {"c": vector.null}}, ["c"]) == []
    assert index.triggered(vector, {"a": {}}, ["c"]) == []


def test_order_is_the_graphs_when_triggered_and_the_names_when_updated(kernels):
    index = kernels.TriggerIndex({"n10": ["c"], "n2": ["d"], "a": ["c", "c"]})
    assert index.triggered(kernels.VersionVector({"c": 1}), {}, ["d", "c"]) == ["n10", "n2", "a"]
    assert index.updated(["d", "c"]) == ["a", "n10", "n2"]
    assert index.nodes("c") == ("a", "n10")


def test_the_triggers_are_read_once(kernels):
    graph = {"a": iter(["c", "d"])}
    index = kernels.TriggerIndex(graph)
    graph["b"] = ["c"]
    assert index.channels == ("c", "d")
    assert index.updated(["d"]) == ["a"]


def test_a_mapping_of_another_type_is_asked_what_was_seen(kernels):
    class Seen(dict):
        def get(self, channel, default=None):
            return 5

    index, vector = kernels.TriggerIndex({"a": ["c"]}), kernels.VersionVector({"c": 5})
    assert index.triggered(vector, {"a": Seen()}, ["c"]) == []
    vector["c"] = 6
    assert index.triggered(vector, {"a": Seen()}, ["c"]) == ["a"]


@pytest.mark.parametrize("seen", [{"c": "1"}, {"c": None}])
def test_versions_that_do_not_compare_are_a_type_error(kernels, seen):
    index = kernels.TriggerIndex({"a": ["c"]})
    with pytest.raises(TypeError, match="'>' not supported"):
        index.triggered(kernels.VersionVector({"c": 1}), {"a": seen}, ["c"])


def test_a_node_that_ran_without_any_version_is_a_type_error(kernels):
    index = kernels.TriggerIndex({"a": ["c"]})
    with pytest.raises(TypeError, match="'>' not supported"):
        index.triggered(kernels.VersionVector(), {"a": {}}, ["c"])


@pytest.mark.parametrize("versions", [{"c": 1}, None])
def test_the_versions_have_to_be_a_vector(kernels, versions):
    index = kernels.TriggerIndex({"a": ["c"]})
    with pytest.raises(TypeError, match="versions must be a VersionVector, not"):
        index.triggered(versions, {}, ["c"])


def test_every_public_name_is_the_same_in_all_implementations():
    pytest.importorskip("numba")
    compiled = pytest.importorskip("fastgraph.kernels.trigger_index")
    numba = pytest.importorskip("fastgraph.kernels.numba_trigger_index")
    assert public(compiled.TriggerIndex) == public(numba.TriggerIndex)


def public(cls):
    return {name for name in vars(cls) if not name.startswith("_")}
