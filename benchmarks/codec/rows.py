"""The rows of the table: what is measured, and what is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

What = Literal["encode", "decode", "run", "slim"]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    what : str
        Encoding, decoding, a whole run, or the bytes that `codec="slim"` saves.
    of : str
        The corpus, or the saver of a run.
    wanted : float
        At least so many times sooner; for slim, the part of the bytes at least saved.
    times : tuple of int
        How often it is done for the shorter and the longer measurement.
    """

    what: What
    of: str
    wanted: float
    times: tuple[int, int] = (2, 22)


#: Corpus -> what encoding and what decoding it is to reach.
WANTED = {
    "300 chat messages": (4, 3),
    "1,000 UUIDs": (8, 4),
    "1,000 datetimes": (8, 4),
    "300 dataclasses": (10, 3),
    "300 Sends": (10, 3),
    "300 small pydantic models": (2, 1.2),
    "plain state of 35 kB": (1, 1),
    "NumPy array of 256 kB": (1, 1),
}

ROWS = (
    *(Row("encode", corpus, encode) for corpus, (encode, _) in WANTED.items()),
    *(Row("decode", corpus, decode) for corpus, (_, decode) in WANTED.items()),
    Row("run", "InMemorySaver", 1.5, (1, 11)),
    Row("run", "SqliteSaver", 1.5, (1, 11)),
    # What is left without the disk's part.
    Row("run", "SqliteSaver in memory", 1.5, (1, 11)),
    Row("slim", "300 chat messages without ids", 0.4),
    Row("slim", "300 chat messages", 0.4),
)
