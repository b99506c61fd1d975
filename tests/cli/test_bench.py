"""``fastgraph bench``: a user's graph, stock against patched."""

from __future__ import annotations

import html.parser
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import fastgraph
from fastgraph.cli import main
from fastgraph.cli.agreement import agreement, plain
from fastgraph.cli.graph_argument import load_graph
from fastgraph.cli.names import chosen
from fastgraph.cli.parser import CommandError
from fastgraph.cli.timing import Pair

pytest.importorskip("rich", reason="needs the extra `bench`")

from fastgraph.cli.bench_result import Bench, CaseResult, Fallback, Side
from fastgraph.cli.bench_table import memory, notes, rows, seconds
from fastgraph.cli.timing import Spread
from fastgraph.cli.workload import Case, cases, default_mode
from fastgraph.profiling.breakdown import Breakdown

AGENT = """
import operator
import os
import time
from typing import Annotated

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    count: int
    log: Annotated[list, operator.add]


def step(state):
    return {"count": state["count"] + 1, "log": [state["count"]]}


async def astep(state):
    return step(state)


def build(node, **options):
    graph = StateGraph(State).add_node("step", node).add_edge(START, "step")
    graph.add_conditional_edges("step", lambda s: "step" if s["count"] < 4 else END, ["step", END])
    return graph.compile(**options)


builder = StateGraph(State).add_node("step", step).add_edge(START, "step")
graph = build(step)
only_async = build(astep)
saved = build(step, checkpointer=InMemorySaver())
root = build(step, checkpointer=True)
sleepy = build(lambda state: time.sleep(0.1) or {"count": 4})
random = build(lambda state: {"count": 4, "log": [os.urandom(4)]})
asks = build(lambda state: {"count": interrupt("?")}, checkpointer=InMemorySaver())
text = "no graph"


def made():
    return builder


def needs(argument):
    return builder


def breaks():
    raise RuntimeError("no key for the model")


async def made_async():
    return graph


class Holder:
    graph = graph
"""


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a directory with a module of graphs, an input and a config."""
    (tmp_path / "agent.py").write_text(AGENT)
    (tmp_path / "broken.py").write_text("import no_such_package\n")
    (tmp_path / "raises.py").write_text("raise SystemExit('not today')\n")
    (tmp_path / "in.json").write_text('{"count": 0, "log": []}')
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "bad.json").write_text("{count: 0}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("agent", "broken", "raises"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def bench(*words: str) -> int:
    return main(["bench", *words, "--input", "in.json", "--rounds", "2"])


def test_every_case_is_measured_and_told(agent, capsys) -> None:
    assert bench(
        "agent:graph", "--mode", "sync,async", "--saver", "none,sqlite",
        "--json", "bench.json", "--html", "bench.html",
    ) == 0  # fmt: skip
    told = json.loads((agent / "bench.json").read_text())
    assert [tuple(case["case"].values()) for case in told["cases"]] == [
        ("sync", "invoke", "none"),
        ("async", "invoke", "none"),
        ("sync", "invoke", "sqlite"),
        ("async", "invoke", "sqlite"),
    ]
    for case in told["cases"]:
        assert case["agreement"] == "equal"
        assert len(case["rounds"]) == 2
        for side in ("stock", "patched"):
            figures = case[side]
            assert figures["supersteps"] == 5  # the input, and four of the node
            assert sum(figures["share"].values()) == pytest.approx(1)
            assert figures["peak_bytes"] > 0
            profiled = figures["profiled"]
            assert sum(profiled["phases"].values()) == pytest.approx(profiled["seconds"])
            assert {node["name"]: node["calls"] for node in profiled["nodes"]} == {
                "step": 4,
                "step ->": 4,
            }
    out = capsys.readouterr().out
    assert out.count("time per superstep") == 4
    assert "outputs: equal" in out
    assert not fastgraph.is_patched()
    self_contained((agent / "bench.html").read_text())


def self_contained(page: str) -> None:
    """Assert that a page needs nothing else, and that its drawings can be parsed."""
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawings) == 1 + 2 * 4
    for drawing in drawings:
        assert ElementTree.fromstring(drawing).tag.endswith("svg")
    links = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            links.extend(
                value
                for name, value in attributes
                if name in ("src", "href", "xlink:href") and not (value or "").startswith("#")
            )

    Reader().feed(page)
    assert not links
    assert "sync, invoke, sqlite saver" in page


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("agent.py:graph",), "sync, invoke, as compiled"),
        (("agent:Holder.graph",), "sync, invoke, as compiled"),
        (("agent:made",), "sync, invoke, as compiled"),
        (("agent:builder", "--stream-mode", "updates"), "sync, stream updates, as compiled"),
        (("agent:only_async",), "async, invoke, as compiled"),
        (("agent:saved",), "sync, invoke, as compiled"),  # it gets a thread id
        (("agent:saved", "--durability", "exit"), "sync, invoke, as compiled"),
        (("agent:graph", "--saver", "memory"), "sync, invoke, memory saver"),
        (("agent:asks",), "the run stops at an interrupt"),
    ],
)
def test_graphs_of_all_kinds(agent, capsys, words, expected) -> None:
    assert bench(*words) == 0
    assert expected in capsys.readouterr().out


def test_a_graph_that_waits_is_no_faster_and_it_says_why_first(agent, capsys) -> None:
    assert bench("agent:sleepy", "--json", "bench.json") == 0
    (case,) = json.loads((agent / "bench.json").read_text())["cases"]
    assert case["stock"]["share"]["node_bodies"] > 0.5
    first = capsys.readouterr().out.splitlines()[0]
    if not case["faster"]:  # it may be, by chance, in two rounds
        assert "because node bodies take" in first


def test_what_differs_from_itself_is_not_compared(agent, capsys) -> None:
    assert bench("agent:random") == 0
    assert "outputs: not comparable" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["nowhere:graph"], "there is no module 'nowhere'"),
        (["agent.nowhere:graph"], "there is no module 'agent.nowhere'"),
        (["nowhere.py:graph"], "there is no file 'nowhere.py'"),
        (["broken:graph"], "importing broken failed: ModuleNotFoundError: No module named 'no_"),
        (["raises:graph"], "importing raises failed: SystemExit: not today"),
        (["agent"], "expected module:graph or path/to/file.py:graph, not 'agent'"),
        (["agent:"], "expected module:graph"),
        (["agent:grph"], "agent has no attribute 'grph'; its graphs: graph, only_async"),
        (["agent:text"], "agent:text is of type str, not a compiled graph"),
        (["agent:State"], "not a compiled graph"),
        (["agent:needs"], "agent:needs is a function of "),
        (["agent:breaks"], "agent:breaks() failed: RuntimeError: no key for the model"),
        (["agent:made_async"], "an async function, not a compiled graph"),
        (["agent:graph", "--input", "nowhere.json"], "cannot read nowhere.json: No such file"),
        (["agent:graph", "--input", "bad.json"], "bad.json is not JSON: "),
        (["agent:graph", "--input", "list.json"], "fails on this input: "),
        (["agent:graph"], "fails on this input: KeyError: 'count' (is it in --input"),
        (["agent:graph", "--config", "list.json"], "list.json is not a config"),
        (["agent:graph", "--mode", "synk"], "knows sync, async, not 'synk'; did you mean 'sync'?"),
        (["agent:graph", "--stream-mode", "update"], "did you mean 'updates'?"),
        (["agent:graph", "--saver", "redis"], "--saver knows own, none, memory"),
        (["agent:graph", "--saver", ","], "expects names separated by commas"),
        (["agent:graph", "--saver", "postgres"], "needs --postgres"),
        (["agent:graph", "--durability", "never"], "is one of sync, async, exit, not 'never'"),
        (["agent:root", "--input", "in.json"], "(--saver memory gives it one)"),
        (["agent:only_async", "--input", "in.json", "--mode", "sync"], "(--mode async runs"),
        (["agent:graph", "--html", "nowhere/b.html"], "cannot write nowhere/b.html"),
        (["agent:graph", "--html", "."], "cannot write .: it is a directory"),
        (["agent:graph", "--input", "-", "--config", "-"], "cannot both be standard input"),
    ],
)
@pytest.mark.parametrize("command", ["bench", "profile"])
def test_bad_input_is_one_line_and_status_2(agent, capsys, command, words, reason) -> None:
    if command == "profile" and "--html" in words:
        words = ["agent:graph", "--trace", words[-1]]
    assert main([command, *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("fastgraph: error: ")
    assert reason in err
    assert err.count("\n") == 1
    assert not fastgraph.is_patched()


def test_without_its_packages_it_says_what_to_install(agent, capsys, monkeypatch) -> None:
    from fastgraph.cli import bench as command

    monkeypatch.setattr(command.importlib.util, "find_spec", lambda name: None)
    assert bench("agent:graph") == 2
    assert capsys.readouterr().err == (
        "fastgraph: error: fastgraph bench needs rich: pip install 'fastgraph-engine[bench]'\n"
    )


def test_a_recursion_limit_in_the_config_counts(agent, capsys) -> None:
    Path("config.json").write_text('{"recursion_limit": 2}')
    assert bench("agent:graph", "--config", "config.json") == 2
    assert "(--config with a recursion_limit allows more)" in capsys.readouterr().err


def test_patched_output_that_differs_is_status_1_and_said_first(agent, capsys, monkeypatch) -> None:
    from fastgraph.cli import bench as command

    class Broken:
        """A patch that spoils what the node gives."""

        def __enter__(self) -> fastgraph.Status:
            load_graph("agent:graph").nodes["step"].bound.func = lambda state: {"count": 9}
            return fastgraph.status()

        def __exit__(self, *error: object) -> None:
            load_graph("agent:graph").nodes["step"].bound.func = sys.modules["agent"].step

    monkeypatch.setattr(command.fastgraph, "patched", Broken)
    assert bench("agent:graph") == 1
    assert "OUTPUTS DIFFER" in capsys.readouterr().out.splitlines()[0]


@pytest.mark.parametrize(
    ("outputs", "found"),
    [
        ([{"a": 1}, {"a": 1}, {"a": 1}], "equal"),
        ([{"a": 1}, {"a": 1}, {"a": 2}], "differ"),
        ([{"a": 1}, {"a": 1}, {"a": True}], "differ"),
        ([{"a": 1, "b": 2}, {"a": 1, "b": 2}, {"b": 2, "a": 1}], "differ"),
        ([["a"], ["a"], ("a",)], "differ"),
        ([{"a": 1}, {"a": 2}, {"a": 1}], "not comparable"),
        ([f"2025-01-0{day}T00:00:00.1+00:00" for day in (1, 2, 3)], "equal but for ids and times"),
        (["2025-01-01T00:00:00 a", "2025-01-02T00:00:00 a", "2025-01-03T00:00:00 b"], "differ"),
    ],
)
def test_agreement_is_what_two_stock_runs_have_in_common(outputs, found) -> None:
    given = iter(outputs)
    assert agreement(lambda name: next(given), lambda name: next(given)) == found


def test_values_compare_by_all_that_can_be_seen() -> None:
    from langchain_core.messages import AIMessage, HumanMessage
    from langgraph.types import Send

    assert plain(AIMessage("a", id="1")) == plain(AIMessage("a", id="1"))
    assert plain(AIMessage("a", id="1")) != plain(HumanMessage("a", id="1"))
    assert plain(Send("a", {"b": {1, 2}})) == plain(Send("a", {"b": {2, 1}}))
    assert plain(object()) == plain(object())


def side(seconds: float, own: float, saver: float = 0.0) -> Side:
    phases = {"node": own, "edge": 0.0, "saver": saver}
    spread = Spread(seconds, seconds * 0.9, seconds * 1.1)
    return Side(spread, Breakdown(seconds, 10, phases), 2048)


def result(stock: Side, patched: Side, **more: object) -> CaseResult:
    pairs = [Pair(stock.seconds.median, patched.seconds.median)] * 3
    given = {"agreement": "equal", "fallbacks": [], **more}
    return CaseResult(Case("sync", "invoke", "own"), pairs, stock, patched, **given)


def test_why_it_is_no_faster() -> None:
    assert result(side(1.0, 0.1), side(0.5, 0.1)).verdict().startswith("patched is faster: 2.00x")
    bodies = result(side(1.0, 0.97), side(1.0, 0.97)).verdict()
    assert (
        "node bodies take 97% of a run, so that with no engine at all it would be 1.03x" in bodies
    )
    assert (
        "waits 40% of its time for its saver"
        in result(side(1.0, 0.1, 0.4), side(1.0, 0.1, 0.4)).verdict()
    )
    fell_back = [Fallback("tick", "a subclass of the loop", 10, 10)]
    assert (
        "10 of 10 calls of tick fell back: a subclass of the loop"
        in result(side(1.0, 0.1), side(1.0, 0.1), fallbacks=fell_back).verdict()
    )
    assert "within the spread" in result(side(1.0, 0.1), side(1.0, 0.1)).verdict()
    assert "please report it" in result(side(1.0, 0.1), side(2.0, 0.1)).verdict()


def test_what_has_to_be_read_first_comes_first() -> None:
    fast = result(side(1.0, 0.1), side(0.5, 0.1))
    slow = result(side(1.0, 0.9), side(1.0, 0.9))
    wrong = result(side(1.0, 0.1), side(0.5, 0.1), agreement="differ")
    lines = Bench("g", "c", [fast, slow, wrong], fastgraph.status()).headlines()
    assert "OUTPUTS DIFFER" in lines[0]
    assert "no faster" in lines[1]
    assert all("patched is faster" in line for line in lines[2:])


def test_figures_are_in_units_that_suit_them() -> None:
    assert [seconds(value) for value in (2.5, 0.0123, 45e-6)] == ["2.50 s", "12.30 ms", "45 us"]
    assert [memory(value) for value in (2048, 3 * 2**20)] == ["2 KiB", "3.0 MiB"]
    one = result(side(0.01, 0.005), side(0.005, 0.0025))
    assert ("time per superstep", "1.00 ms", "500 us") in rows(one)
    many = [Fallback(f"t{number}", "r", 1, 1) for number in range(7)]
    told = notes(result(side(1.0, 0.1), side(0.5, 0.1), fallbacks=many))
    assert told[-1] == "and 2 more reasons (--json lists them)"


def test_options_are_combined() -> None:
    assert len(cases(["sync", "async"], ["invoke", "updates"], ["none"])) == 4
    assert chosen("--mode", " async ,sync,async", ("sync", "async")) == ["async", "sync"]
    with pytest.raises(CommandError, match="knows sync"):
        chosen("--mode", "x", ("sync",))


def test_the_mode_is_what_the_nodes_allow(agent) -> None:
    assert default_mode(load_graph("agent:graph")) == "sync"
    assert default_mode(load_graph("agent:only_async")) == "async"
