"""The encoder comes and goes, and steps back where upstream's parts were replaced."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import codec_types as types
import codec_values as values
import ormsgpack
import pytest
from codec_engines import ENCODER, encoded, patched
from hypothesis import HealthCheck, find, settings
from hypothesis import strategies as st
from langgraph.checkpoint.serde import jsonplus
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

import fastgraph


def counted() -> fastgraph.TargetStatus:
    return next(each for each in fastgraph.status().targets if each.name == "_msgpack_enc")


def test_it_comes_and_goes() -> None:
    stock = jsonplus._msgpack_enc
    with patched():
        ours = jsonplus._msgpack_enc
        assert ours is not stock and counted().active
        assert ours([types.Plainly(1)]) == stock([types.Plainly(1)])
    assert jsonplus._msgpack_enc is stock
    # Somebody may have kept it: it is upstream's then.
    assert ours([types.Plainly(1)]) == stock([types.Plainly(1)])


def replaced_default(value: Any) -> Any:
    return f"<{type(value).__name__}>"


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("_msgpack_default", replaced_default),
        ("_option", ormsgpack.OPT_NON_STR_KEYS | ormsgpack.OPT_SERIALIZE_NUMPY),
        ("EXT_CONSTRUCTOR_KW_ARGS", 77),
        ("UUID", int),
    ],
)
def test_what_replaces_upstreams_parts_is_heard(
    name: str, other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = [types.Plainly(1), {"a": (1, 2)}]
    with patched():
        before = encoded(value)
        monkeypatch.setattr(jsonplus, name, other)
        fallbacks = sum(counted().fallbacks.values())
        replaced = encoded(value)
        assert sum(counted().fallbacks.values()) > fallbacks
        monkeypatch.undo()
        fallbacks = sum(counted().fallbacks.values())
        assert encoded(value) == before
        assert sum(counted().fallbacks.values()) == fallbacks
    monkeypatch.setattr(jsonplus, name, other)
    assert encoded(value) == replaced


def test_another_encoder_put_around_ours_hears_of_each_object(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def heard_by(engine: Any) -> list[Any]:
        heard: list[Any] = []
        original = jsonplus._msgpack_enc

        def listening(value: Any) -> bytes:
            heard.append(value)
            return original(value)

        with monkeypatch.context() as patch:
            patch.setattr(jsonplus, "_msgpack_enc", listening)
            JsonPlusSerializer().dumps_typed([types.Plainly(types.Plainly(1))])
        return [type(value) for value in heard]

    stock = heard_by(None)
    with patched():
        assert heard_by(None) == stock


def test_packb_replaced_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    with patched():
        monkeypatch.setattr(ormsgpack, "packb", lambda *_, **__: b"mine")
        assert jsonplus._msgpack_enc([1]) == b"mine"
        monkeypatch.undo()
        assert jsonplus._msgpack_enc([1]) == b"\x91\x01"


def test_subclasses_of_the_serializer_keep_their_own_way() -> None:
    class Own(JsonPlusSerializer):
        def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
            kind, data = super().dumps_typed([obj])
            return f"own {kind}", data

    stock = Own().dumps_typed(types.Plainly(1))
    with patched():
        assert Own().dumps_typed(types.Plainly(1)) == stock


def test_an_unknown_release_of_ormsgpack_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    version = metadata.version

    def other(name: str) -> str:
        return "99.0" if name == "ormsgpack" else version(name)

    monkeypatch.setattr(metadata, "version", other)
    with fastgraph.patched(ENCODER):
        status = counted()
    assert not status.active
    assert status.reason == "unknown release of ormsgpack (99.0)"


def test_threads_encode_at_once_while_it_comes_and_goes() -> None:
    pool = find(
        st.lists(values.values(), min_size=20, max_size=20),
        lambda _: True,
        settings=settings(database=None, suppress_health_check=list(HealthCheck)),
    )
    made = [*pool, *types.instances(), {"deep": values.nested(1, 100, values.WRAPS["dataclass"])}]
    expected = [encoded(value)[0] for value in made]
    stop = threading.Event()

    def work(_: int) -> int:
        rounds = 0
        serde = JsonPlusSerializer()
        while not stop.is_set() or rounds < 3:
            for value, (kind, data, *_) in zip(made, expected, strict=True):
                assert serde.dumps_typed(value) == (kind, data)
            rounds += 1
        return rounds

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as threads:
            running = [threads.submit(work, number) for number in range(4)]
            for _ in range(5):
                with patched():
                    stop.wait(0.02)
            stop.set()
            assert all(each.result() >= 3 for each in running)
    finally:
        sys.setswitchinterval(interval)


def test_what_a_user_encodes_while_it_encodes() -> None:
    """An object that has something encoded by itself when it is asked."""

    class Inner:
        def model_dump(self) -> Any:
            return {"inner": JsonPlusSerializer().dumps_typed([types.Plainly(1), 2])[1]}

    with patched():
        ours = encoded([Inner(), {"a": Inner()}])
    assert ours == encoded([Inner(), {"a": Inner()}])
