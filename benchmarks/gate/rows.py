"""What the gate counts: programs without threads, whose count is the same in each run."""

from __future__ import annotations

from dataclasses import dataclass

SUPERSTEP = "benchmarks.superstep.child"
CODEC = "benchmarks.codec.child"


@dataclass(frozen=True)
class Row:
    """One count.

    Attributes
    ----------
    name : str
        What the baseline knows it by.
    child : str
        The module whose process runs the program.
    program : str
        The program's name there.
    sizes : tuple of int
        The shorter and the longer run, whose difference counts.
    per : int
        How much of what is counted one unit of size stands for.
    """

    name: str
    child: str
    program: str
    sizes: tuple[int, int] = (20, 60)
    per: int = 1


def codec(program: str, sizes: tuple[int, int] = (1, 6)) -> Row:
    return Row(f"codec: {program}", CODEC, program, sizes)


ROWS = (
    Row("superstep: loop", SUPERSTEP, "sync loop"),
    Row("superstep: chain", SUPERSTEP, "sync chain"),
    Row("superstep: loop, async", SUPERSTEP, "async loop"),
    Row("superstep: chain, async", SUPERSTEP, "async chain"),
    Row("superstep: Send, async", SUPERSTEP, "async sends", (1, 3), per=100),
    Row("superstep: loop, one handler", SUPERSTEP, "handler"),
    Row("superstep: loop, one inline handler, async", SUPERSTEP, "inline async handler"),
    Row("superstep: loop, updates", SUPERSTEP, "updates"),
    Row("superstep: loop, updates, async", SUPERSTEP, "async updates"),
    Row("superstep: loop, messages, async", SUPERSTEP, "async messages"),
    Row("superstep: loop, InMemorySaver, async", SUPERSTEP, "async saved"),
    Row("superstep: loop around a graph", SUPERSTEP, "nested"),
    Row("superstep: @task call, async", SUPERSTEP, "async task calls"),
    Row("invoke: three nodes", SUPERSTEP, "three nodes", (10, 40)),
    Row("ainvoke: three nodes", SUPERSTEP, "three async nodes", (10, 40)),
    Row("agent: one turn, async", SUPERSTEP, "async agent", (4, 12)),
    codec("encode/300 chat messages"),
    codec("encode/1,000 UUIDs"),
    codec("encode/300 dataclasses"),
    codec("encode/300 Sends"),
    codec("encode/300 small pydantic models"),
    codec("encode/plain state of 35 kB"),
    codec("decode/300 chat messages"),
    codec("decode/1,000 UUIDs"),
    codec("decode/300 dataclasses"),
    codec("decode/300 Sends"),
    codec("decode/300 small pydantic models"),
    codec("decode/plain state of 35 kB"),
)
