"""Streams of generated agents, stock against patched: event for event, byte for byte."""

from __future__ import annotations

import os

import pytest
from ag_ui_streams import seen_of

import fastgraph

#: More of them: make ag-ui-differential AGENTS=1000.
AGENTS = int(os.environ.get("FASTGRAPH_TEST_AGENTS", "40"))
PART = 10


@pytest.mark.parametrize("first", range(0, AGENTS, PART))
def test_agents_are_the_same(first: int) -> None:
    seeds = range(first, min(first + PART, AGENTS))
    stock = [seen_of(seed) for seed in seeds]
    with fastgraph.patched(strict=True):
        for seed, seen in zip(seeds, stock, strict=True):
            assert seen_of(seed) == seen, f"agent {seed}"


@pytest.mark.parametrize("seed", range(8))
def test_the_loop_turns_as_often(seed: int) -> None:
    stock = seen_of(seed, with_turns=True)
    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        assert seen_of(seed, with_turns=True) == stock
    assert any(line.startswith("turn: ") for line in stock)
    assert not any(line.startswith("thread: ") for line in stock)


def test_agents_cover_the_protocol() -> None:
    kinds = {
        line.split()[1]
        for seed in range(40)
        for line in seen_of(seed)
        if line.startswith("event: ")
    }
    wanted = {
        "RunStartedEvent", "RunFinishedEvent", "RunErrorEvent", "StepStartedEvent",
        "TextMessageStartEvent", "TextMessageContentEvent", "TextMessageEndEvent",
        "ToolCallStartEvent", "ToolCallArgsEvent", "ToolCallEndEvent", "ToolCallResultEvent",
        "StateSnapshotEvent", "MessagesSnapshotEvent", "CustomEvent", "RawEvent",
        "ReasoningMessageContentEvent", "ReasoningEncryptedValueEvent",
    }  # fmt: skip
    assert wanted <= kinds
