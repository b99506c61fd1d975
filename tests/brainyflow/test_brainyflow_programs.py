"""Generated flows on both engines; `make flows` compares more of them."""

from __future__ import annotations

from itertools import product

import pytest

import fastgraph
from fastgraph.adapters import FRAMEWORKS

if (why_not := FRAMEWORKS["brainyflow"].why_not) is not None:
    pytest.skip(f"brainyflow: {why_not}", allow_module_level=True)

from tools import flow_programs

BATCH = 250


@pytest.mark.parametrize("first", range(0, 2000, BATCH))
def test_programs(first: int) -> None:
    before = flow_programs.fallbacks()["Flow.exec_runner"]
    assert flow_programs.compare(first, BATCH) == []
    calls, stock = flow_programs.fallbacks()["Flow.exec_runner"]
    assert calls - before[0] > BATCH
    assert sum(stock.values()) - sum(before[1].values()) < (calls - before[0]) / 2


STEPS = (
    "add",
    "background",
    "borrow",
    "delete",
    "fail",
    "fail early",
    "fail late",
    "fork",
    "grow",
    "keep",
    "lend",
    "log",
    "memory",
    "missing",
    "nest",
    "no way",
    "old memory",
    "set",
    "thing",
    "trigger",
    "trigger thing",
    "wait",
    "wait after",
)


def test_what_the_programs_do() -> None:
    """Each of the steps and classes is met, and errors, warnings and trees are too."""
    kinds, steps, ends = set(), set(), set()
    for seed in range(400):
        _, nodes, _ = flow_programs.made(seed)
        kinds |= {type(node) for node in nodes}
        steps |= {step[0] for node in nodes for step in getattr(node, "script", ())}
        ends |= {flow_programs.observed(seed, 1)[0][0]}
    assert kinds == {*flow_programs.PLAIN, *flow_programs.OTHERS, *flow_programs.FLOWS}
    assert steps == {*STEPS}
    assert ends == {"tree", "error"}


def test_a_difference_is_said() -> None:
    assert flow_programs.first_difference([1, [2]], [1, [3]]) == "[1] [0] stock 2, patched 3"
    assert flow_programs.first_difference([1, 2], [1]) == "only stock goes on with 2"


@pytest.mark.parametrize(
    ("target", "seed"),
    list(product(("Flow.run_node", "BaseNode.clone", "Memory.clone"), (1, 2, 3))),
)
def test_a_target_alone(target: str, seed: int) -> None:
    stock = [flow_programs.observed(seed * 1000 + number) for number in range(10)]
    with fastgraph.patched([target], strict=True):
        assert [flow_programs.observed(seed * 1000 + number) for number in range(10)] == stock
