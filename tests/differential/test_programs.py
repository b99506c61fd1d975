"""Generated programs: what is drawn, and some of them on both engines.

`make differential` compares thousands.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.differential import mutations
from tools.differential.comparison import compared
from tools.differential.generator import (
    ACTIONS,
    ACTS,
    ERRORS,
    MODES,
    TAKES,
    VALUES,
    drawn,
    program_of,
)
from tools.differential.program import Action, Graph, Node, Program, Workflow, parsed, parts

REGRESSIONS = Path(__file__).parent / "regressions.txt"
SEEDS = 600


def regressions() -> list[str]:
    lines = REGRESSIONS.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def assert_equal(programs: list[Program]) -> None:
    for program, verdict in zip(programs, compared(programs), strict=True):
        assert verdict, f"{verdict.difference}\n{program!r}"


def test_a_seed_is_one_program_and_prints_as_an_expression_that_makes_it() -> None:
    for seed in range(50):
        program = program_of(seed)
        assert program == program_of(seed)
        assert parsed(repr(program)) == program


def test_what_is_drawn_reaches_every_part_of_the_engine() -> None:
    programs = [program_of(seed) for seed in range(SEEDS)]
    every = [part for program in programs for part in parts(program)]
    graphs = [part for part in every if isinstance(part, Graph)]
    nodes = [part for part in every if isinstance(part, Node)]
    actions = [part for part in every if isinstance(part, Action)]

    assert {channel for graph in graphs for channel in graph.channels} == {*VALUES}
    assert {act[0] for node in nodes for act in node.acts} >= {*ACTS}
    assert {name for node in nodes for name in node.takes} >= {*TAKES} - {"previous"}
    failures = {act[1] for node in nodes for act in node.acts if act[0].startswith("fail")}
    assert failures == {*ERRORS}
    assert {action.kind for action in actions} == {*ACTIONS}
    assert {mode for action in actions for mode in action.modes} == {*MODES}
    assert {action.durability for action in actions} == {None, "sync", "exit"}
    savers = {"none", "memory", "watched", "slow", "failing", "sqlite"}
    assert {program.saver for program in programs} == savers
    for name in ("deferred", "cached", "handled", "tagged", "attempts", "timeout", "idle"):
        assert any(getattr(node, name) for node in nodes), name
    assert any(node.graph for node in nodes)
    assert any(
        program.is_async and node.is_sync
        for program in programs
        for node in parts(program)
        if isinstance(node, Node)
    )
    for name in ("joins", "routes", "before", "after"):
        assert any(getattr(graph, name) for graph in graphs), name
    for name in ("stop_after", "cancel_at", "drain_at", "subgraphs", "back", "as_node"):
        assert any(getattr(action, name) for action in actions), name
    assert {graph.checkpointer for graph in graphs} == {"inherited", "own", "none"}
    assert {graph.schema for graph in graphs} == {"dict", "dataclass", "model"}
    assert {part.ends for part in every if isinstance(part, Workflow)} == {
        "value",
        "final",
        "previous",
    }


@pytest.mark.parametrize("text", regressions())
def test_what_differed_once_does_not_differ_again(text: str) -> None:
    assert_equal([parsed(text)])


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_programs_of_seeds_are_the_same_on_both_engines(first: int) -> None:
    assert_equal([program_of(seed) for seed in range(first, first + 20)])


@settings(
    deadline=None,
    max_examples=40,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(source=st.randoms(use_true_random=False))
def test_programs_that_hypothesis_draws_are_the_same_on_both_engines(
    source: random.Random,
) -> None:
    assert_equal([drawn(source)])


def test_each_mutation_changes_another_thing() -> None:
    names = [(mutation.module, mutation.name) for mutation in mutations.MUTATIONS]

    assert len({*names}) == len(names)
    for mutation in mutations.MUTATIONS:
        assert (mutations.ROOT / f"{mutation.module}.pyx").exists(), mutation.module
        assert mutation.old != mutation.new
