"""``fastgraph verify`` runs a graph on both engines and tells whether they differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

APP = """
import itertools
import operator
from typing import Annotated, TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph

import fastgraph


class State(TypedDict):
    seen: Annotated[list, operator.add]


def compiled(node, **options):
    return StateGraph(State).add_node("node", node).add_edge(START, "node").compile(**options)


numbers = itertools.count()
saver = InMemorySaver()
steady = compiled(lambda state: {"seen": [len(state["seen"])]}, checkpointer=saver)
unsteady = compiled(lambda state: {"seen": [next(numbers)]})
different = compiled(lambda state: {"seen": [fastgraph.is_patched()]})


def fail(state):
    assert not saver.storage
    raise LookupError("in the node")


failing = compiled(fail)
number = 7
"""


@pytest.fixture
def verify(command: Any, tmp_path: Path) -> Any:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "in.json").write_text('{"seen": ["first"]}')

    def run(graph: str, *options: str) -> Any:
        given = ["--input", str(tmp_path / "in.json")]
        return command("verify", f"{tmp_path}/app.py:{graph}", *given, *options)

    return run


def test_a_graph_that_is_the_same_on_both_engines_is_equal(verify: Any) -> None:
    result = verify("steady")

    assert (result.returncode, result.stderr) == (0, "")
    ways = ["invoke", "stream", "ainvoke", "astream"]
    assert result.stdout.splitlines() == [f"{way}: equal" for way in ways]


def test_errors_are_compared_and_the_graphs_own_saver_is_left_alone(verify: Any) -> None:
    result = verify("failing", "--ways", "invoke,astream")

    assert result.returncode == 0
    ended = "equal (both end with LookupError: 'in the node')"
    assert result.stdout.replace('"', "'").splitlines() == [
        f"invoke: {ended}".replace("'in the node'", "in the node"),
        f"astream: {ended}".replace("'in the node'", "in the node"),
    ]


def test_a_difference_is_told_with_both_sides(verify: Any) -> None:
    result = verify("different", "--ways", "invoke", "--json")

    assert result.returncode == 1
    (outcome,) = json.loads(result.stdout)["outcomes"]
    assert outcome["verdict"] == "different"
    assert outcome["difference"].endswith(": False and True")


def test_a_graph_that_differs_from_itself_is_no_proof(verify: Any) -> None:
    result = verify("unsteady", "--ways", "invoke")

    assert result.returncode == 3
    assert result.stdout.startswith("invoke: unsteady, stock differs from itself in seen")


@pytest.mark.parametrize(
    ("graph", "options", "says"),
    [
        ("number", [], "is of type int, not a compiled graph"),
        ("absent", [], "has no attribute 'absent'"),
        ("steady", ["--ways", "sing"], "there is no way 'sing'; the ways are invoke, stream"),
        ("steady", ["--config", "absent.json"], "absent.json: "),
    ],
)
def test_what_cannot_be_verified_is_told_on_one_line(
    verify: Any, graph: str, options: list[str], says: str
) -> None:
    result = verify(graph, *options)

    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("fastgraph: error: ")
    assert says in result.stderr and result.stderr.count("\n") == 1


def test_input_is_read_from_standard_input_and_has_to_be_json(command: Any, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)

    result = command("verify", f"{tmp_path}/app.py:steady", "--input", "-", stdin="{")

    assert result.returncode == 2
    assert result.stderr.startswith("fastgraph: error: - is not JSON: ")
