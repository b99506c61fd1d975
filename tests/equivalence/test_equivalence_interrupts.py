"""Interrupts, breakpoints, edits of state and time travel: stock against patched."""

from __future__ import annotations

from typing import Any

import pytest
from equivalence_scenarios import Scenarios, assert_same, ordered, saved
from equivalence_states import Count, chain_of, graph_of, noting
from equivalence_ways import Drive, Way
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt

SCENARIOS = Scenarios()


def saved_in_order(way: Way) -> bool:
    return saved(way) and ordered(way)


def asking(drive: Drive, *questions: str) -> Any:
    def ask(state: Count) -> Any:
        answers = []
        for question in questions:
            drive.note("asks", question)
            answers.append(interrupt(question))
        return {"seen": [tuple(answers)]}

    return drive.node(ask)


@SCENARIOS.add(saved)
def one_question(drive: Drive) -> None:
    builder = graph_of(drive, "first").add_node("ask", asking(drive, "why?"))
    graph = builder.add_edge("first", "ask").compile(checkpointer=drive.saver)
    drive.run(graph, {"n": 0})
    drive.state(graph)
    drive.run(graph, Command(resume="because"))
    drive.run(graph, Command(resume="to nobody"))
    drive.history(graph)


@SCENARIOS.add(saved)
def several_questions_of_one_node(drive: Drive) -> None:
    builder = StateGraph(Count).add_node("ask", asking(drive, "one", "two", "three"))
    graph = builder.add_edge(START, "ask").compile(checkpointer=drive.saver)
    drive.run(graph, {"n": 0})
    for answer in ("first", None, ["third"]):
        drive.run(graph, Command(resume=answer))
        drive.state(graph)


@SCENARIOS.add(saved)
def run_again_without_an_answer(drive: Drive) -> None:
    builder = StateGraph(Count).add_node("ask", asking(drive, "one", "two"))
    graph = builder.add_edge(START, "ask").compile(checkpointer=drive.saver)
    drive.run(graph, {"n": 0})
    drive.run(graph, None)
    drive.run(graph, Command(resume="answer"))
    drive.run(graph, {"n": 3})
    drive.run(graph, Command(resume="answer", update={"n": 8}))


@SCENARIOS.add(saved_in_order)
def questions_side_by_side_answered_by_id(drive: Drive) -> None:
    builder: Any = StateGraph(Count)
    for name in ("left", "right", "third"):
        builder.add_node(name, asking(drive, f"{name} one", f"{name} two")).add_edge(START, name)
    graph = builder.compile(checkpointer=drive.saver)
    drive.run(graph, {"n": 0})
    for turn in range(3):
        found = drive.state(graph).interrupts
        answers = {each.id: f"{turn} {each.value}" for each in found[: 2 + turn]}
        drive.run(graph, Command(resume=answers))
    drive.run(graph, Command(resume={"0" * 32: "nobody's"}))


@SCENARIOS.add(saved_in_order)
def questions_side_by_side_answered_by_value(drive: Drive) -> None:
    builder: Any = StateGraph(Count).add_node("quiet", noting(drive, "quiet"))
    builder.add_edge(START, "quiet")
    for name in ("left", "right"):
        builder.add_node(name, asking(drive, name)).add_edge(START, name)
    graph = builder.compile(checkpointer=drive.saver)
    drive.run(graph, {"n": 0})
    drive.run(graph, Command(resume="to whom?"))
    drive.state(graph)


@SCENARIOS.add(saved_in_order)
def questions_of_sends(drive: Drive) -> None:
    def route(state: Count) -> Any:
        return [Send("ask", {"n": i}) for i in range(3)]

    builder = graph_of(drive, "first").add_node("ask", asking(drive, "each"))
    builder.add_conditional_edges("first", drive.node(route), ["ask"])
    graph = builder.compile(checkpointer=drive.saver)
    drive.run(graph, {"n": 0})
    answers = {each.id: i for i, each in enumerate(drive.state(graph).interrupts)}
    drive.run(graph, Command(resume=answers))


@SCENARIOS.add()
def a_question_without_a_saver(drive: Drive) -> None:
    builder = StateGraph(Count).add_node("ask", asking(drive, "anybody?")).add_edge(START, "ask")
    drive.run(builder.compile(checkpointer=drive.saver), {"n": 0})


@SCENARIOS.add(saved)
def breakpoints(drive: Drive) -> None:
    graph = chain_of(drive, "one", "two", "three").compile(
        checkpointer=drive.saver, interrupt_before=["two"], interrupt_after=["two"]
    )
    drive.run(graph, {"n": 0})
    for _ in range(3):
        drive.state(graph)
        drive.run(graph, None)


@SCENARIOS.add(saved_in_order)
def breakpoints_everywhere(drive: Drive) -> None:
    builder = graph_of(drive, "first", "left", "right", "join")
    builder.add_edge("first", "left").add_edge("first", "right")
    graph = builder.add_edge(["left", "right"], "join").compile(checkpointer=drive.saver)
    for given in ({"n": 0}, None, None, None, None):
        drive.run(graph, given, interrupt_before="*", interrupt_after="*")


@SCENARIOS.add()
def breakpoints_without_a_saver(drive: Drive) -> None:
    graph = chain_of(drive, "one", "two").compile(interrupt_before=["two"])
    drive.run(graph, {"n": 0})


@SCENARIOS.add(saved)
def edits_of_the_state(drive: Drive) -> None:
    graph = chain_of(drive, "one", "two", "three").compile(
        checkpointer=drive.saver, interrupt_after=["one"]
    )
    drive.update(graph, {"n": 1, "seen": ["before any run"]}, as_node="__input__")
    drive.run(graph, {"n": 0})
    drive.update(graph, {"seen": ["edited"]})
    drive.update(graph, {"seen": ["as two"]}, as_node="two")
    drive.state(graph)
    drive.run(graph, None)
    drive.update(graph, {"seen": ["nobody"]}, as_node="nobody")
    drive.update(graph, None, as_node=END)
    drive.update(graph, {"n": "copied"}, as_node="__copy__")
    drive.history(graph)


@SCENARIOS.add(saved)
def time_travel(drive: Drive) -> None:
    graph = chain_of(drive, "one", "two", "three").compile(checkpointer=drive.saver)
    drive.run(graph, {"n": 0})
    past = drive.history(graph)
    for snapshot in past[:4]:
        config = drive.config(configurable=snapshot.config["configurable"])
        drive.run(graph, None, config)
    config = drive.config(configurable=past[-1].config["configurable"])
    forked = drive.update(graph, {"n": 40}, None, config)
    if not isinstance(forked, Exception):
        drive.run(graph, None, drive.config(configurable=forked["configurable"]))
    drive.history(graph)


@SCENARIOS.add(saved)
def an_interrupt_travelled_back_to(drive: Drive) -> None:
    builder = graph_of(drive, "first").add_node("ask", asking(drive, "one", "two"))
    graph = builder.add_edge("first", "ask").compile(checkpointer=drive.saver)
    drive.run(graph, {"n": 0})
    drive.run(graph, Command(resume="a"))
    drive.run(graph, Command(resume="b"))
    for snapshot in drive.history(graph):
        config = drive.config(configurable=snapshot.config["configurable"])
        drive.run(graph, Command(resume="again"), config)


@SCENARIOS.add(saved)
def threads_of_their_own(drive: Drive) -> None:
    graph = chain_of(drive, "one", "two").compile(checkpointer=drive.saver)
    for thread in ("1", "2", "1"):
        drive.run(graph, {"n": int(thread)}, drive.config(configurable={"thread_id": thread}))
    drive.run(graph, {"n": 0}, {"callbacks": []})  # without a thread


@pytest.mark.parametrize(("scenario", "way"), SCENARIOS.cases, ids=SCENARIOS.ids)
def test_a_run_is_the_same(scenario: Any, way: Any) -> None:
    assert_same(scenario, way)
