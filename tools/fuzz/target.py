"""The fuzz target: any bytes, decoded by upstream and by the decoder, have to come out the same.

python target.py COVERAGE_LIBRARY SECONDS SEED GROW

In a process that has the sanitizers' libraries loaded; `python -m tools.fuzz` starts it. Inputs
that take an edge of the compiled code that none took before are kept and mutated further.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import random
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

import codec_types
from decoding import check, ext
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

CORPUS = Path(__file__).parent / "corpus"
LONGEST = 4096
PLACES = 65536

#: Only what is harmless may be loaded: inputs name classes at random.
SERIALIZERS = (
    JsonPlusSerializer(allowed_msgpack_modules=None),
    JsonPlusSerializer(
        allowed_msgpack_modules=[
            codec_types.Plainly,
            codec_types.Frozen,
            codec_types.Point,
            codec_types.Simple,
            codec_types.SimpleV1,
            codec_types.Validated,
        ]
    ),
)
WORDS = (
    [b"\xa4uuid\xa4UUID", b"\xa8builtins\xa3set", b"\xa8datetime\xa8datetime", b"\xadfromisoformat"]
    + [b"\xafcodec_types\xa7Plainly", b"\xafcodec_types\xa6Simple", b"\xa9tool_call", b"\xc0"]
    + [bytes([marker]) + b"\xff" * size for marker in range(0xC4, 0xE0) for size in (1, 4)]
)


def cut(data: bytearray, dice: random.Random) -> None:
    del data[dice.randrange(len(data) + 1) :]


def remove(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data) + 1)
    del data[at : at + dice.choice((1, 1, 2, 4, 16))]


def insert(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data) + 1)
    data[at:at] = dice.choice(WORDS) if dice.random() < 0.5 else dice.randbytes(dice.randint(1, 4))


def change(data: bytearray, dice: random.Random) -> None:
    if data:
        data[dice.randrange(len(data))] = dice.choice(
            (dice.randrange(256), dice.randrange(128, 256))
        )


def flip(data: bytearray, dice: random.Random) -> None:
    if data:
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def repeat(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data) + 1)
    piece = data[at : at + dice.randint(1, 16)]
    data[at:at] = piece * dice.choice((1, 2, 50))


def wrap(data: bytearray, dice: random.Random) -> None:
    data[:] = ext(dice.randint(-1, 8), bytes(data))


def lengthen(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data) + 1)
    data[at : at + 4] = struct.pack(">I", dice.choice((0, 1, 255, 65535, 2**31, 2**32 - 1)))


MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    cut, remove, insert, insert, change, change, flip, repeat, wrap, lengthen
)  # fmt: skip


def mutated(pool: list[bytes], dice: random.Random) -> bytes:
    data = bytearray(dice.choice(pool))
    if dice.random() < 0.1:  # the end of another one
        other = dice.choice(pool)
        data[dice.randrange(len(data) + 1) :] = other[dice.randrange(len(other) + 1) :]
    for _ in range(dice.choice((1, 1, 2, 3, 6))):
        dice.choice(MUTATIONS)(data, dice)
    return bytes(data[:LONGEST])


class Coverage:
    """The edges that have been taken so far."""

    def __init__(self, library: str) -> None:
        self.taken = (ctypes.c_uint8 * PLACES).in_dll(ctypes.CDLL(library), "fastgraph_taken")
        self.known = 0

    def grew(self) -> bool:
        """Whether there are more than when it was asked before."""
        count = sum(bytes(self.taken))
        grew, self.known = count > self.known, max(count, self.known)
        return grew


def run(data: bytes, last: Path) -> None:
    """Decode one input. What it is can be read from a file should the process die of it."""
    last.write_bytes(data)
    for serializer in SERIALIZERS:
        check(serializer, ("msgpack", data))


def main(library: str, seconds: float, seed: int, grow: bool) -> int:
    logging.lastResort = None
    dice = random.Random(seed)
    pool = [path.read_bytes() for path in sorted(CORPUS.iterdir())]
    coverage = Coverage(library)
    last = Path(os.environ.get("TMPDIR", "/tmp")) / f"fastgraph-fuzz-{os.getpid()}"
    print(f"an input that fails is left in {last}", flush=True)
    for data in pool:
        run(data, last)
    coverage.grew()
    inputs, start, began = 0, coverage.known, len(pool)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = mutated(pool, dice)
        run(data, last)
        inputs += 1
        if coverage.grew():
            pool.append(data)
            if grow:
                (CORPUS / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    last.unlink()
    print(
        f"{inputs} inputs, {coverage.known} edges ({start} by the corpus), {len(pool) - began} new"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "1"))
