"""The checkpoint codec: encoding and decoding, by what is in the state."""

from __future__ import annotations

import warnings

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

import fastgraph

from .engine import switch_on

CORPORA = (
    "300 chat messages",
    "1,000 UUIDs",
    "1,000 datetimes",
    "300 dataclasses",
    "300 Sends",
    "300 small pydantic models",
    "plain state of 35 kB",
)


class Codec:
    """What a saver does with a channel's value."""

    timeout = 300.0
    param_names = ("corpus",)
    params = (CORPORA,)

    def setup(self, corpus: str) -> None:
        from benchmarks.codec.programs import program

        switch_on()
        warnings.simplefilter("ignore")  # classes that no list allows, as most programs have them
        self.encode = program("encode", corpus)
        self.decode = program("decode", corpus)

    def teardown(self, corpus: str) -> None:
        fastgraph.unpatch()

    def time_encode(self, corpus: str) -> None:
        self.encode(1)

    def time_decode(self, corpus: str) -> None:
        self.decode(1)

    def track_bytes(self, corpus: str) -> int:
        """How many bytes are stored, which is the same on both engines."""
        from benchmarks.codec.corpora import CORPORA as VALUES

        return len(JsonPlusSerializer().dumps_typed(VALUES[corpus]())[1])

    track_bytes.unit = "bytes"  # type: ignore[attr-defined]


class CodecBySize:
    """The same for a chat of so many messages."""

    timeout = 300.0
    param_names = ("messages",)
    params = ((3, 30, 300, 3000),)

    def setup(self, messages: int) -> None:
        from benchmarks.codec.corpora import chat

        switch_on()
        self.serde = JsonPlusSerializer()
        self.value = chat(messages)
        self.data = self.serde.dumps_typed(self.value)

    def teardown(self, messages: int) -> None:
        fastgraph.unpatch()

    def time_encode(self, messages: int) -> None:
        self.serde.dumps_typed(self.value)

    def time_decode(self, messages: int) -> None:
        self.serde.loads_typed(self.data)
