"""``fastgraph profile`` and what it is made of: spans, phases, traces."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.pregel import _loop, _runner
from typing_extensions import TypedDict

import fastgraph
from fastgraph.cli import main
from fastgraph.cli.engine import engine_of
from fastgraph.profiling.breakdown import breakdown
from fastgraph.profiling.profiler import Profile, profiled
from fastgraph.profiling.sites import SITES
from fastgraph.profiling.spans import PHASES, Span
from fastgraph.profiling.trace import trace_events

ENGINES = ("stock", "patched")
THREAD = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    count: int


def step(state: State) -> dict[str, int]:
    return {"count": state["count"] + 1}


async def astep(state: State) -> dict[str, int]:
    await asyncio.sleep(0)
    return step(state)


def loop(node: Any, times: int = 3, **options: Any) -> Any:
    graph = StateGraph(State).add_node("step", node).add_edge(START, "step")
    graph.add_conditional_edges(
        "step", lambda state: "step" if state["count"] < times else END, ["step", END]
    )
    return graph.compile(**options)


def own_calls(profile: Profile) -> dict[str, int]:
    return {node.name: node.calls for node in profile.breakdown().nodes}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("node", [step, RunnableLambda(step)], ids=["function", "runnable"])
def test_a_sync_run(engine: str, node: Any) -> None:
    graph = loop(node)
    with engine_of(engine):
        profile = profiled(graph, lambda: graph.invoke({"count": 0}))
    assert own_calls(profile) == {"step": 3, "step ->": 3}
    found = profile.breakdown()
    assert found.supersteps == 4
    assert [(each.step, each.nodes) for each in found.steps] == [
        (0, ()),
        *((number, ("step",)) for number in (1, 2, 3)),
    ]
    assert sum(found.phases.values()) == pytest.approx(found.seconds)
    for phase in ("prepare", "run", "node", "edge", "commit", "apply", "ends"):
        assert found.phases[phase] > 0, phase


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("node", [step, astep])
def test_an_async_run(engine: str, node: Any) -> None:
    graph = loop(node)
    with engine_of(engine):
        profile = profiled(graph, lambda: asyncio.run(graph.ainvoke({"count": 0})))
    assert own_calls(profile) == {"step": 3, "step ->": 3}
    assert profile.breakdown().supersteps == 4
    elsewhere = {span.thread != profile.thread for span in profile.spans if span.phase == "node"}
    assert elsewhere == {node is step}  # what runs in a thread is timed there


@pytest.mark.parametrize("engine", ENGINES)
def test_the_saver_is_timed(engine: str) -> None:
    graph = loop(step, checkpointer=InMemorySaver())
    with engine_of(engine):
        profile = profiled(graph, lambda: graph.invoke({"count": 0}, THREAD))
    names = {span.name for span in profile.spans if span.phase == "saver"}
    assert {"InMemorySaver.get_tuple", "InMemorySaver.put"} <= names


@pytest.mark.parametrize("engine", ENGINES)
def test_nested_graphs_are_told_apart(engine: str) -> None:
    inner = StateGraph(State).add_node("add", step).add_edge(START, "add").compile()
    graph = loop(inner)
    with engine_of(engine):
        profile = profiled(graph, lambda: graph.invoke({"count": 0}))
    assert own_calls(profile) == {"step:add": 3, "step ->": 3}
    found = profile.breakdown()
    assert found.supersteps == 4 + 3 * 2
    assert len(found.steps) == 4  # those of the outer graph


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("saver", [None, InMemorySaver()], ids=["no saver", "saver"])
def test_a_profiled_run_gives_and_falls_back_to_the_same(engine: str, saver: Any) -> None:
    graph = loop(step, checkpointer=saver)

    def fallbacks() -> dict[str, int]:
        return {each.name: sum(each.fallbacks.values()) for each in fastgraph.status().targets}

    def run() -> dict[str, int]:
        before = fallbacks()
        results.append(graph.invoke({"count": 0}, THREAD))
        return {name: count - before[name] for name, count in fallbacks().items()}

    results: list[Any] = []
    found: list[dict[str, int]] = []
    with engine_of(engine):
        run()
        expected = run()
        profiled(graph, lambda: found.append(run()))
    assert found == [expected]
    assert results[1] == results[2]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("fails", [False, True])
def test_everything_is_put_back(engine: str, fails: bool) -> None:
    def node(state: State) -> dict[str, int]:
        if fails:
            raise ValueError("no")
        return step(state)

    saver = InMemorySaver()
    graph = loop(node, checkpointer=saver)

    def bound() -> list[object]:
        found: list[object] = [graph.nodes["step"].bound.func, vars(_loop.SyncPregelLoop)]
        found += [vars(cls).copy() for cls in (_loop.PregelLoop, _runner.PregelRunner)]
        found += [vars(InMemorySaver).copy(), graph.nodes["step"].bound]
        return found

    with engine_of(engine):
        before = bound()
        if fails:
            with pytest.raises(ValueError, match="no"):
                profiled(graph, lambda: graph.invoke({"count": 0}, THREAD))
        else:
            profiled(graph, lambda: graph.invoke({"count": 0}, THREAD))
        assert bound() == before
    assert not fastgraph.is_patched()


def test_every_site_exists_in_the_release_under_test() -> None:
    for site in SITES:
        owner = __import__(site.module, fromlist=["x"])
        for name in site.attribute.split("."):
            owner = getattr(owner, name)
        assert site.phase in PHASES


def span(phase: Any, start: int, end: int, thread: int = 1, name: str = "f") -> Span:
    return Span(phase, name, start, end, thread)


def phases(*spans: Span, end: int = 100) -> dict[str, int]:
    found = breakdown(spans, 0, end, 1, 1).phases
    return {phase: round(seconds * 1e9) for phase, seconds in found.items() if seconds}


def test_a_moment_belongs_to_the_innermost_span() -> None:
    assert phases(span("apply", 10, 60), span("checkpoint", 20, 30)) == {
        "apply": 40,
        "checkpoint": 10,
        "other": 50,
    }


def test_spans_of_one_event_loop_need_not_be_nested() -> None:
    assert phases(span("node", 0, 50), span("commit", 40, 60), span("node", 45, 100)) == {
        "node": 95,
        "commit": 5,
    }


def test_a_node_in_another_thread_comes_first_and_counts_once() -> None:
    assert phases(
        span("run", 0, 100), span("node", 10, 50, thread=2), span("node", 20, 60, thread=3)
    ) == {"run": 50, "node": 50}


def test_a_saver_counts_as_far_as_the_run_waits_for_it() -> None:
    assert phases(
        span("prepare", 0, 50), span("ends", 50, 100), span("saver", 20, 80, thread=2)
    ) == {"prepare": 50, "saver": 30, "ends": 20}


def test_what_is_outside_the_run_does_not_count() -> None:
    assert phases(span("run", -50, 20), span("apply", 90, 150), span("stream", 30, 30)) == {
        "run": 20,
        "apply": 10,
        "other": 70,
    }


def limits(event: dict[str, Any]) -> tuple[int, int]:
    """Give start and end of an event in nanoseconds."""
    start = round(event["ts"] * 1000)
    return start, start + round(event["dur"] * 1000)


def test_rows_of_a_trace_contain_their_events_or_keep_them_apart() -> None:
    spans = [
        span("run", 0, 100),
        span("node", 10, 60, name="a"),
        span("node", 20, 80, name="b"),
        span("commit", 60, 65),
        span("saver", 5, 95, thread=2),
    ]
    trace = trace_events(Profile(spans, 0, 100, 1, 1), "a run")
    events = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    assert len(events) == len(spans)
    assert {event["cat"] for event in events} == {"run", "node", "commit", "saver"}
    for row in {event["tid"] for event in events}:
        inside = [limits(event) for event in events if event["tid"] == row]
        for start, end in inside:
            for other_start, other_end in inside:
                apart = end <= other_start or other_end <= start
                nested = (start - other_start) * (end - other_end) <= 0
                assert apart or nested
    names = [event["args"]["name"] for event in trace["traceEvents"] if event["ph"] == "M"]
    assert names == ["a run", "run", "run", "thread 2"]


def test_a_trace_is_of_the_trace_event_format() -> None:
    """As Perfetto reads it, which was seen to drop events of a row that has the number 0."""
    spans = [
        span("ends", 0, 90),
        span("saver", 1_003, 2_001_007, name="put"),
        span("saver", 1_500, 2_500_000, name="put"),
        span("node", 7, 1_234_567, thread=140_000_000_000_000),
    ]
    trace = json.loads(json.dumps(trace_events(Profile(spans, 0, 2_600_000, 1, 1), "a run")))
    assert trace["displayTimeUnit"] == "ms"
    named: dict[int, str] = {}
    for event in trace["traceEvents"]:
        assert event["pid"] == 1 and isinstance(event["tid"], int) and event["tid"] >= 1
        if event["ph"] == "M":
            assert event["name"] in ("process_name", "thread_name")
            if event["name"] == "thread_name":
                named[event["tid"]] = event["args"]["name"]
        else:
            assert event["ph"] == "X" and event["name"] and event["cat"] in PHASES
            assert named[event["tid"]]  # named before it is used
            assert event["ts"] >= 0 and event["dur"] >= 0
    found = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    assert sorted(limits(event) for event in found) == sorted((s.start, s.end) for s in spans)
    assert found[0]["tid"] == found[0]["pid"]  # the main thread, in Perfetto
    assert named == {1: "run", 2: "run", 3: "thread 2"}


AGENT = """
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

class State(TypedDict):
    count: int

builder = StateGraph(State).add_node("one", lambda state: {"count": 1})
graph = builder.add_edge(START, "one").compile()
"""


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "profiled_agent.py").write_text(AGENT)
    (tmp_path / "in.json").write_text('{"count": 0}')
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "profiled_agent:graph"


def test_the_tables_have_every_part_node_and_superstep(agent, capsys) -> None:
    words = ["--input", "in.json", "--rounds", "2", "--engine", "stock,patched", "--steps", "1"]
    assert main(["profile", agent, *words]) == 0
    out = capsys.readouterr().out
    assert all(f"\n{phase}: " in out for phase in (*PHASES, "other"))
    assert out.startswith("stock: 2 supersteps in ")
    assert "\npatched: 2 supersteps in " in out
    assert "\n0: -" in out
    assert out.count("(1 more; --steps lists them)") == 2


def test_figures_and_trace(agent, capsys) -> None:
    words = ["--input", "in.json", "--rounds", "1", "--json", "--trace", "trace.json"]
    assert main(["profile", agent, *words]) == 0
    (found,) = json.loads(capsys.readouterr().out).values()
    assert found["supersteps"] == 2
    assert found["nodes"][0]["name"] == "one"
    trace = json.loads(Path("trace.json").read_text())
    assert {"ph", "ts", "dur", "pid", "tid", "name", "cat"} <= {
        key for event in trace["traceEvents"] for key in event
    }


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--engine", "stock,patched", "--trace", "t.json"], "--trace takes one engine"),
        (["--saver", "none,memory"], "profile takes one mode, one stream mode and one saver"),
        (["--engine", "fast"], "--engine knows stock, patched, not 'fast'"),
    ],
)
def test_options_that_make_no_sense(agent, capsys, words, reason) -> None:
    assert main(["profile", agent, "--input", "in.json", *words]) == 2
    err = capsys.readouterr().err
    assert reason in err and err.count("\n") == 1
