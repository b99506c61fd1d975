"""kill -9 in the middle of a run, patched or stock; the other engine resumes: nothing is lost.

Each round kills one run at a random statement, may kill the resumed run likewise, and ends it on
the engine whose turn it is. The final state is that of a stock run that nobody disturbed, whose
reducers would show a write that was lost, or applied twice.

``FASTGRAPH_TEST_KILLS`` sets how many rounds there are for each saver and order of engines.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

import fastgraph

PROGRAM = Path(__file__).parents[1] / "isolated" / "savers_killed.py"
ROUNDS = int(os.environ.get("FASTGRAPH_TEST_KILLS", "3"))
SQLITE = ["sqlite", "async sqlite"]
POSTGRES = ["postgres", "postgres pool", "async postgres pool"]
DURABILITIES = ["sync", "async"]
ORDERS = [("patched", "stock"), ("stock", "patched")]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


class Engine:
    """A process that carries out orders on one engine."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, **order: Any) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps(order), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        assert answer, "the engine is gone"
        return json.loads(answer)


@contextmanager
def running(engine: str) -> Iterator[Engine]:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(PROGRAM), engine]
    environment = {**os.environ, "PYTHONPATH": str(Path(fastgraph.__file__).parents[1])}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        yield Engine(process)
        process.stdin.close()


@pytest.fixture(scope="module")
def engines() -> Iterator[dict[str, Engine]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(running(name)) for name in ("stock", "patched")}


def rounds(engines: dict[str, Engine], saver: str, turns: tuple[str, ...], uri: str) -> None:
    kills = 0
    dice = random.Random(f"{saver} {turns}")
    for number in range(ROUNDS):
        order = {
            "saver": saver,
            "uri": uri,
            "seed": number,
            "durability": dice.choice(DURABILITIES),
        }
        undisturbed = engines["stock"](**order, thread=f"calm {number}", kill=None)
        statements = undisturbed.pop("statements")
        assert undisturbed["number"] == 4 and len(undisturbed["seen"]) == 14
        answer = None
        for turn, engine in enumerate(itertools.cycle(turns)):
            kill = dice.randint(1, statements) if turn < dice.randint(1, 3) else None
            answer = engines[engine](**order, thread=f"killed {number}", kill=kill)
            kills += answer is None
            # The last word is that of the engine that did not begin.
            if answer is not None and turn % 2 == 1:
                break
        del answer["statements"]
        assert answer == undisturbed, (number, turns)
    assert kills >= ROUNDS


@pytest.mark.parametrize("turns", ORDERS, ids="-".join)
@pytest.mark.parametrize("saver", SQLITE)
def test_sqlite(
    engines: dict[str, Engine], saver: str, turns: tuple[str, ...], tmp_path: Path
) -> None:
    rounds(engines, saver, turns, str(tmp_path / "checkpoints.sqlite"))


@pytest.mark.parametrize("turns", ORDERS, ids="-".join)
@pytest.mark.parametrize("saver", POSTGRES)
def test_postgres(
    engines: dict[str, Engine], saver: str, turns: tuple[str, ...], database: str
) -> None:
    rounds(engines, saver, turns, database)
