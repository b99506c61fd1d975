"""The numeric core on arrays, and how it is compiled: once, when imported, cached on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

numba = pytest.importorskip("numba")

import numpy as np  # noqa: E402

from fastgraph.kernels import numba_core  # noqa: E402
from fastgraph.kernels.numba_ranking import Ranking, UnrankableError  # noqa: E402
from fastgraph.kernels.numba_version_vector import VersionVector  # noqa: E402

KERNELS = ("first_maximum", "any_newer", "triggered_nodes", "nodes_behind")


def integers(*values):
    return np.array(values, np.int64)


@pytest.mark.parametrize(
    ("ranks", "position"), [((), -1), ((3,), 0), ((1, 4, 4, 2), 1), ((-(2**63), -5), 1)]
)
def test_first_maximum(ranks, position):
    assert numba_core.first_maximum(integers(*ranks)) == position


@pytest.mark.parametrize(
    ("ranks", "seen", "newer"),
    [((), (), False), ((1, 2), (1, 2), False), ((1, 2), (2, 1), True), ((0,), (-1,), True)],
)
def test_any_newer(ranks, seen, newer):
    assert numba_core.any_newer(integers(*ranks), integers(*seen)) is newer


def test_triggered_nodes():
    # Node 0 has channels 0 and 1, node 1 none, node 2 channel 1, node 3 channel 2.
    indptr, indices = integers(0, 2, 2, 3, 4), integers(0, 1, 1, 2)
    versions = integers(5, 7, 9)
    seen = integers(5, 6, 7, numba_core.NEVER)
    everything = np.array([True, True, True])
    found = numba_core.triggered_nodes(indptr, indices, versions, seen, everything)
    assert found.dtype == np.int64
    assert found.tolist() == [0, 3]
    only_first = np.array([True, False, False])
    assert numba_core.triggered_nodes(indptr, indices, versions, seen, only_first).size == 0


def test_nodes_behind():
    # Channel 0 has nodes 2 and 0, channel 1 none, channel 2 nodes 1 and 2.
    indptr, indices = integers(0, 2, 2, 4), integers(2, 0, 1, 2)
    for channels, nodes in [((0,), [0, 2]), ((2, 0, 2), [0, 1, 2]), ((1,), []), ((), [])]:
        behind = numba_core.nodes_behind(indptr, indices, 3, integers(*channels))
        assert behind.tolist() == nodes


@pytest.mark.parametrize(
    "ranks", [np.array([1.0]), np.array([1], np.int32), np.arange(6)[::2], np.ones((2, 2), int)]
)
def test_other_arrays_are_a_type_error_and_compile_nothing(ranks):
    with pytest.raises(TypeError):
        numba_core.first_maximum(ranks)


@pytest.mark.parametrize("name", KERNELS)
def test_there_is_one_compiled_version(name):
    assert len(getattr(numba_core, name).signatures) == 1


@pytest.mark.parametrize("name", KERNELS)
def test_the_interpreted_kernels_are_no_others(name):
    assert getattr(numba_core, name).py_func.__doc__ == getattr(numba_core, name).__doc__


def import_in_a_new_process(**environ):
    """Import the kernels; tell how many came from the cache, were compiled, and can be cached."""
    code = (
        "import json, numpy\n"
        "from fastgraph.kernels import numba_core as core\n"
        "assert core.first_maximum(numpy.array([1, 3, 2], numpy.int64)) == 1\n"
        f"stats = [getattr(core, name).stats for name in {KERNELS!r}]\n"
        "print(json.dumps({'cached': sum(sum(each.cache_hits.values()) for each in stats),"
        " 'compiled': sum(sum(each.cache_misses.values()) for each in stats),"
        " 'cacheable': sum(each.cache_path is not None for each in stats)}))\n"
    )
    root = str(Path(numba_core.__file__).parents[2])
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": root, **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)


@pytest.mark.slow
def test_the_cache_is_written_once_and_used_from_then_on(tmp_path):
    first = import_in_a_new_process(NUMBA_CACHE_DIR=str(tmp_path))
    second = import_in_a_new_process(NUMBA_CACHE_DIR=str(tmp_path))
    assert first == {"cached": 0, "compiled": len(KERNELS), "cacheable": len(KERNELS)}
    assert second == {"cached": len(KERNELS), "compiled": 0, "cacheable": len(KERNELS)}
    assert any(tmp_path.rglob("*.nbc"))


@pytest.mark.slow
@pytest.mark.skipif(
    not hasattr(numba.config, "CACHE_LOCATOR_CLASSES"),
    reason="this numba cannot be kept from caching beside the source",
)
def test_without_a_place_for_the_cache_every_process_compiles(tmp_path):
    file = tmp_path / "not a directory"
    file.touch()
    # A directory that cannot be made, not even by a user who may write anywhere.
    nowhere = {
        "NUMBA_CACHE_DIR": str(file / "cache"),
        "NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator",
    }
    for _ in range(2):
        found = import_in_a_new_process(**nowhere)
        assert found == {"cached": 0, "compiled": len(KERNELS), "cacheable": 0}


numbers = st.integers(-5, 5) | st.sampled_from([0.5, -1.5, float("inf")]) | st.booleans()


@given(
    st.one_of(
        st.tuples(st.lists(versions), st.lists(versions))
        for versions in (numbers, st.text("ab", max_size=3))
    )
)
def test_ranks_compare_as_the_versions_do(known_and_others):
    known, others = known_and_others
    ranking = Ranking(known)
    if not known and any(isinstance(other, str) for other in others):
        return
    pairs = zip(ranking.ranks(known), known, strict=True)
    ranks = ranking.ranks(others)
    for rank, version in pairs:
        assert [rank > other for other in ranks] == [version > other for other in others]


@given(st.lists(numbers, min_size=1), st.lists(numbers))
def test_a_version_is_added_if_it_is_known_or_the_highest(known, added):
    ranking, versions = Ranking(known), list(known)
    for version in added:
        rank = ranking.add(version)
        assert (rank is not None) == (version in versions or version > max(versions))
        if rank is not None:
            versions.append(version)
            assert ranking.ranks([version]).tolist() == [rank]
    assert len(ranking) == len(set(versions))


@pytest.mark.parametrize(
    "versions", [[1, "1"], ["1", 1], [float("nan")], [1, None], [[]], [np.float64(1)]]
)
def test_versions_without_an_order_have_no_ranks(versions):
    with pytest.raises(UnrankableError):
        Ranking(versions)
    with pytest.raises(UnrankableError):
        Ranking([1]).ranks(versions)


def test_nothing_but_a_version_with_an_order_is_added():
    for version in (float("nan"), "1", None, np.float64(9)):
        assert Ranking([]).add(version) is None
        assert Ranking([1]).add(version) is None


def test_a_vector_does_not_collect_the_versions_of_its_life():
    vector = VersionVector({"a": 0, "b": 0})
    for version in range(2000):
        vector["a"] = version
        assert vector.maximum == version
    assert len(vector._ranked.ranking) < 100
