"""Every implementation of `VersionVector` against plain dicts, `max` and `>`."""

from __future__ import annotations

import pickle
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

NAN = float("nan")

# Large ones too, which are different objects even where they are equal.
INTS = st.integers(-3, 3) | st.integers(10**20, 10**20 + 2)
FLOATS = st.sampled_from([-1.5, -0.0, 0.0, 1.0, 2.0, float("inf"), NAN])
TEXT = st.text("abc01.", max_size=3)
NUMBERS = INTS | FLOATS | st.booleans()
FAMILIES = (INTS, FLOATS, TEXT, NUMBERS, NUMBERS | TEXT)
CHANNELS = st.sampled_from("abcdefgh")


@st.composite
def histories(draw):
    """Versions to start from, then writes, each with whether to look at the maximum before it."""
    versions = draw(st.sampled_from(FAMILIES))
    start = draw(st.dictionaries(CHANNELS, versions, max_size=5))
    writes = draw(st.lists(st.tuples(st.booleans(), CHANNELS, versions), max_size=12))
    return start, writes


@st.composite
def comparisons(draw):
    versions = draw(st.sampled_from(FAMILIES))
    return (
        draw(st.dictionaries(CHANNELS, versions)),
        draw(st.dictionaries(CHANNELS, versions)),
        draw(st.none() | st.lists(CHANNELS)),
    )


def outcome(function):
    """What a call returns, or, in a tuple, what it says of versions that cannot be compared."""
    try:
        return function()
    except TypeError as error:
        return ("TypeError", str(error))


def same(found, expected):
    """The very same object, or the same error. NaN is not equal to itself."""
    return found == expected if isinstance(expected, tuple) else found is expected


def expected_maximum(versions):
    return max(versions.values(), default=None)


def expected_newer(versions, seen, channels=None):
    null = type(next(iter(versions.values())))() if versions else None
    known = [name for name in (versions if channels is None else channels) if name in versions]
    return any(versions[name] > seen.get(name, null) for name in known)


@given(histories())
def test_maximum_is_the_very_object_that_max_finds_after_any_writes(kernels, history):
    start, writes = history
    versions, vector = dict(start), kernels.VersionVector(start)
    for look, channel, version in writes:
        if look:
            expected = outcome(lambda: expected_maximum(versions))
            assert same(outcome(lambda: vector.maximum), expected)
        versions[channel] = vector[channel] = version

    expected = outcome(lambda: expected_maximum(versions))
    assert same(outcome(lambda: vector.maximum), expected)
    assert list(vector.to_dict().items()) == list(versions.items())


@given(comparisons())
def test_newer_compares_each_channel_as_the_dicts_do(kernels, comparison):
    versions, seen, channels = comparison
    vector = kernels.VersionVector(versions)
    for _ in range(2):  # the second time with what was learnt the first time
        assert outcome(lambda: vector.newer(seen, channels)) == outcome(
            lambda: expected_newer(versions, seen, channels)
        )


@given(histories(), st.dictionaries(CHANNELS, INTS))
def test_newer_holds_after_writes(kernels, history, seen):
    start, writes = history
    versions, vector = dict(start), kernels.VersionVector(start)
    for look, channel, version in writes:
        if look:
            outcome(lambda: vector.newer(seen))
        versions[channel] = vector[channel] = version
    assert outcome(lambda: vector.newer(seen)) == outcome(lambda: expected_newer(versions, seen))


@given(histories())
def test_a_snapshot_and_its_vector_go_separate_ways(kernels, history):
    start, writes = history
    vector = kernels.VersionVector(start)
    outcome(lambda: vector.maximum)
    snapshot = vector.snapshot()
    for _, channel, version in writes:
        vector[channel] = version
    assert snapshot.to_dict() == start
    expected = outcome(lambda: expected_maximum(start))
    assert same(outcome(lambda: snapshot.maximum), expected)

    after = vector.to_dict()
    snapshot.bump(["a", "new"], 5)
    assert vector.to_dict() == after


def test_the_maximum_of_equal_versions_is_the_first(kernels):
    assert type(kernels.VersionVector({"a": 1, "b": 1.0}).maximum) is int
    assert type(kernels.VersionVector({"a": 1.0, "b": 1, "c": True}).maximum) is float
    vector = kernels.VersionVector({"a": 0, "b": 2})
    assert vector.maximum == 2
    vector["a"] = 2.0
    assert type(vector.maximum) is float


def test_the_maximum_follows_a_version_that_goes_down(kernels):
    vector = kernels.VersionVector({"a": 5, "b": 3})
    assert vector.maximum == 5
    vector["a"] = 1
    assert vector.maximum == 3


def test_nan_is_never_ahead_and_wins_only_where_it_is_first(kernels):
    assert kernels.VersionVector({"a": 1.0, "b": NAN}).maximum == 1.0
    assert kernels.VersionVector({"a": NAN, "b": 1.0}).maximum is NAN
    assert kernels.VersionVector({"a": NAN}).newer({"a": 0.0}) is False
    assert kernels.VersionVector({"a": 1.0}).newer({"a": NAN}) is False
    vector = kernels.VersionVector({"a": 1.0, "b": 2.0})
    assert vector.maximum == 2.0
    vector["a"] = NAN
    assert vector.maximum is NAN


@pytest.mark.parametrize("look_first", [False, True])
def test_whoever_compares_is_told_that_versions_do_not_compare(kernels, look_first):
    vector = kernels.VersionVector({"a": 1})
    if look_first:
        assert vector.maximum == 1
    vector["b"] = "x"
    assert vector.to_dict() == {"a": 1, "b": "x"}
    with pytest.raises(TypeError, match="'>' not supported between instances of 'str' and 'int'"):
        vector.maximum  # noqa: B018
    with pytest.raises(TypeError, match="'>' not supported"):
        vector.newer({"a": 1, "b": 0})
    assert vector.newer({"a": 0, "b": 0}) is True, "the first channel decides before the second"
    vector["b"] = 7
    assert vector.maximum == 7


def test_versions_of_another_type_are_compared_by_their_own_methods(kernels):
    vector = kernels.VersionVector({"a": Decimal("1.5"), "b": Decimal(2)})
    assert vector.maximum == Decimal(2)
    assert vector.null == Decimal(0)
    assert vector.newer({"a": Decimal("1.5"), "b": Decimal(1)}) is True
    assert vector.newer({"a": Decimal("1.5"), "b": Decimal(2)}) is False


class Reversed(str):
    """A version that is ahead of what text is behind of."""

    __slots__ = ()

    def __gt__(self, other):
        return str.__lt__(self, other)


def test_a_subclass_of_text_compares_as_it_likes(kernels):
    vector = kernels.VersionVector({"a": Reversed("b")})
    assert vector.newer({"a": "c"}) is True
    assert vector.newer({"a": "a"}) is False


@pytest.mark.parametrize(("version", "null"), [(3, 0), (2.5, 0.0), ("7", ""), (True, False)])
def test_a_channel_without_a_version_counts_as_the_null_version(kernels, version, null):
    vector = kernels.VersionVector({"a": version})
    assert vector.null == null
    assert type(vector.null) is type(null)
    assert vector.newer({}) is True
    assert vector.newer({"a": version}) is False
    assert vector.newer({}, channels=["unknown"]) is False


def test_without_channels_there_is_nothing(kernels):
    vector = kernels.VersionVector()
    assert (vector.maximum, vector.null, len(vector), list(vector)) == (None, None, 0, [])
    assert vector.newer({"a": 1}) is False
    assert vector.snapshot().to_dict() == {}
    vector["a"] = 1
    assert vector.maximum == 1


def test_a_vector_is_a_mapping_of_the_versions_it_was_given(kernels):
    given_versions = {"b": 1, "a": 10**20}
    vector = kernels.VersionVector(given_versions)
    assert list(vector) == ["b", "a"]
    assert "a" in vector
    assert "c" not in vector
    assert vector["a"] is given_versions["a"]
    assert repr(vector) == f"VersionVector({given_versions!r})"
    with pytest.raises(KeyError, match="c"):
        vector["c"]
    vector["a"] = 3
    assert given_versions["a"] == 10**20, "copied"
    assert vector.to_dict() is not vector.to_dict()


def test_a_vector_over_a_dict_writes_to_it(kernels):
    versions = {"a": 1}
    vector = kernels.VersionVector.over(versions)
    assert vector.maximum == 1
    vector.bump(["a", "b"], 2)
    assert versions == {"a": 2, "b": 2}
    assert vector.maximum == 2


def test_a_vector_over_a_dict_sees_channels_that_others_add(kernels):
    versions = {"a": 1}
    vector = kernels.VersionVector.over(versions)
    assert vector.maximum == 1
    versions["b"] = 2
    assert vector.maximum == 2
    assert vector.newer({"a": 1}) is True
    versions["c"] = 4
    vector["a"] = 3
    assert vector.maximum == 4


@pytest.mark.parametrize("versions", [None, [("a", 1)]])
def test_a_vector_stands_over_nothing_but_a_dict(kernels, versions):
    with pytest.raises(TypeError):
        kernels.VersionVector.over(versions)


def test_a_long_life_of_versions_leaves_the_maximum_right(kernels):
    vector = kernels.VersionVector({"a": 0, "b": 0})
    for version in range(1, 500):
        vector["a" if version % 3 else "b"] = version
        assert vector.maximum == version
    assert vector.newer({"a": 499, "b": 498}) is False


def test_a_vector_can_be_pickled(kernels):
    vector = kernels.VersionVector({"a": 1, "b": 2})
    assert vector.maximum == 2
    copy = pickle.loads(pickle.dumps(vector))
    assert copy.to_dict() == {"a": 1, "b": 2}
    assert copy.maximum == 2
    copy["a"] = 3
    assert (copy.maximum, vector.maximum) == (3, 2)


def test_every_public_name_is_the_same_in_all_implementations():
    pytest.importorskip("numba")
    compiled = pytest.importorskip("fastgraph.kernels.version_vector")
    numba = pytest.importorskip("fastgraph.kernels.numba_version_vector")
    assert public(compiled.VersionVector) == public(numba.VersionVector)


def public(cls):
    return {name for name in vars(cls) if not name.startswith("_")}
