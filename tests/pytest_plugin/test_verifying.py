"""The pytest plugin's comparison of graph runs with stock's, in pytest processes of its own."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

PLUGIN = ("-p", "fastgraph.pytest_plugin")
VERIFY = (*PLUGIN, "--fastgraph-verify")
XDIST = ("-p", "xdist.plugin", "-n", "2")
ASYNCIO = ("-p", "pytest_asyncio.plugin", "-o", "asyncio_default_fixture_loop_scope=function")
ANYIO = ("-p", "anyio.pytest_plugin")

#: For the tests inside: a graph of one node.
GRAPHS = """\
import operator
from typing import Annotated, Any, TypedDict
import fastgraph
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph

class State(TypedDict):
    seen: Annotated[list[Any], operator.add]

def graph(node, saver=None):
    return StateGraph(State).add_node("node", node).add_edge(START, "node").compile(
        checkpointer=saver
    )

def thread(name="t"):
    return {"configurable": {"thread_id": name}}
"""


@pytest.fixture(autouse=True)
def graphs(pytester):
    pytester.makepyfile(graphs=GRAPHS)


def compared(result):
    """The lines of the summary."""
    lines = result.outlines
    begin = next(n for n, line in enumerate(lines) if "fastgraph: stock and patched ==" in line)
    end = next(n for n in range(begin + 1, len(lines)) if lines[n].startswith("==="))
    return [line for line in lines[begin + 1 : end] if line]


ALL_KINDS = """
import pytest
from graphs import graph, thread, InMemorySaver

def node(state):
    return {"seen": [len(state["seen"])]}

@pytest.fixture
def saver():
    return InMemorySaver()

def test_no_graph():
    pass

def test_invoke(saver):
    assert graph(node, saver).invoke({"seen": []}, thread()) == {"seen": [0]}

@pytest.mark.parametrize("mode", ["values", "updates"])
def test_stream(saver, mode):
    program = graph(node, saver)
    assert list(program.stream({"seen": []}, thread(), stream_mode=mode))
    assert program.get_state(thread()).values == {"seen": [0]}

class TestClass:
    def test_batch(self):
        assert graph(node).batch([{"seen": []}, {"seen": [5]}])[1] == {"seen": [5, 1]}

def test_left_early():
    stream = graph(node).stream({"seen": []}, stream_mode="values")
    assert next(stream) == {"seen": []}
    stream.close()

def test_error():
    def fails(state):
        raise KeyError("why")
    with pytest.raises(KeyError, match="why"):
        graph(fails).invoke({"seen": []})

def test_nested():
    inner = graph(node)
    assert graph(lambda state: inner.invoke({"seen": []})).invoke({"seen": [7]}) == {"seen": [7, 0]}

@pytest.mark.parametrize("number", [1, 2])
def test_temporary(tmp_path, number):
    assert graph(lambda state: {"seen": [str(tmp_path)]}).invoke({"seen": []})
"""


@pytest.mark.parametrize("workers", [(), XDIST], ids=["one process", "xdist"])
def test_runs_are_counted_and_equal(pytester, workers):
    pytester.makepyfile(ALL_KINDS)
    result = pytester.runpytest_subprocess(*VERIFY, *workers)
    result.assert_outcomes(passed=10)
    # Two of them have two runs each, one none; what a run starts in turn is part of it.
    assert compared(result) == ["11 graph runs of 9 tests compared: all equal"]


def test_the_environment_asks_for_it_too(pytester, monkeypatch):
    pytester.makepyfile(ALL_KINDS)
    monkeypatch.setenv("FASTGRAPH_VERIFY", "1")
    result = pytester.runpytest_subprocess(*PLUGIN, "-k", "invoke")
    assert compared(result) == ["1 graph runs of 1 tests compared: all equal"]
    monkeypatch.setenv("FASTGRAPH_VERIFY", "perhaps")
    result = pytester.runpytest_subprocess(*PLUGIN)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: fastgraph: FASTGRAPH_VERIFY='perhaps' *"])


def test_the_configuration_file_asks_for_it_too(pytester):
    pytester.makepyfile(ALL_KINDS)
    pytester.makeini("[pytest]\nfastgraph_verify = true\n")
    result = pytester.runpytest_subprocess(*PLUGIN, "-k", "invoke")
    assert compared(result) == ["1 graph runs of 1 tests compared: all equal"]


@pytest.mark.parametrize(
    ("plugin", "mark"), [(ASYNCIO, "asyncio"), (ANYIO, "anyio")], ids=["asyncio", "anyio"]
)
def test_async_tests(pytester, plugin, mark):
    pytester.makepyfile(
        f"""
        import pytest
        from graphs import graph, thread, InMemorySaver

        pytestmark = pytest.mark.{mark}

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        async def node(state):
            return {{"seen": [1]}}

        async def test_it():
            program = graph(node, InMemorySaver())
            assert await program.ainvoke({{"seen": []}}, thread()) == {{"seen": [1]}}
            assert [chunk async for chunk in program.astream({{"seen": []}}, thread())]
            assert await program.abatch([{{"seen": []}}], [thread("u")])
        """
    )
    result = pytester.runpytest_subprocess(*VERIFY, *plugin)
    result.assert_outcomes(passed=1)
    assert compared(result) == ["3 graph runs of 1 tests compared: all equal"]


def test_fixtures_of_functions_are_set_up_for_each_run_and_others_once(pytester):
    pytester.makepyfile(
        """
        import fastgraph, pytest
        from graphs import graph

        log = []

        @pytest.fixture(scope="module")
        def shared():
            log.append("module")
            yield
            print("\\nlog:", *log, "end")

        @pytest.fixture
        def own(shared):
            log.append("set up")
            yield
            log.append("torn down")

        @pytest.mark.parametrize("number", [1, 2])
        def test_it(own, number):
            log.append("patched" if fastgraph.is_patched() else "stock")
            graph(lambda state: {"seen": []}).invoke({"seen": []})
        """
    )
    result = pytester.runpytest_subprocess(*VERIFY, "-s")
    result.assert_outcomes(passed=2)
    once = "set up stock torn down set up patched torn down"
    assert f"log: module {once} {once} end" in result.outlines


# A patched engine that is wrong: the first node's result is lost.
WRONG = """
import contextlib, fastgraph
from langgraph.pregel import _algo, _loop

engine = fastgraph.patched

def wrong(checkpoint, channels, tasks, *args):
    for task in tasks:
        for name, value in list(task.writes):
            if name == "seen":
                task.writes.remove((name, value))
                task.writes.append((name, [CHANGED]))
    return right(checkpoint, channels, tasks, *args)

@contextlib.contextmanager
def patched(**options):
    global right
    with engine(**options) as status:
        right = _loop.apply_writes
        _loop.apply_writes = wrong
        try:
            yield status
        finally:
            _loop.apply_writes = right

fastgraph.patched = patched
"""


@pytest.mark.parametrize("workers", [(), XDIST], ids=["one process", "xdist"])
def test_an_engine_that_is_wrong_fails_the_tests_that_would_pass(pytester, workers):
    pytester.makeconftest(WRONG.replace("CHANGED", "'lost'"))
    pytester.makepyfile(
        """
        import pytest
        from graphs import graph, thread, InMemorySaver

        def test_no_graph():
            pass

        def test_looks_away():
            graph(lambda state: {"seen": ["kept"]}).invoke({"seen": []})

        def test_looks():
            assert graph(lambda state: {"seen": [1]}).invoke({"seen": [0]}) == {"seen": [0, 1]}

        @pytest.mark.xfail
        def test_expected():
            graph(lambda state: {"seen": [1]}).invoke({"seen": [0]})
            assert False

        def test_skips():
            graph(lambda state: {"seen": [1]}).invoke({"seen": [0]})
            pytest.skip("later")

        def test_stored_only():
            saver = InMemorySaver()
            for _ in graph(lambda state: {"seen": [1]}, saver).stream(
                {"seen": [0]}, thread(), stream_mode="custom"
            ):
                pass
        """
    )
    result = pytester.runpytest_subprocess(*VERIFY, *workers)
    result.assert_outcomes(passed=1, failed=5)
    result.stdout.fnmatch_lines(
        [
            "fastgraph: stock and patched differ in graph run 1, invoke of 'LangGraph': *"
            "'kept' and 'lost'",
        ]
    )
    result.stdout.fnmatch_lines(["fastgraph: stock and patched differ in *'stored'*"])
    result.stdout.fnmatch_lines(["Patched, the test fails in its call:", "*AssertionError*"])
    head, *names = compared(result)
    assert head == "5 graph runs of 5 tests compared: 5 tests differ"
    assert {name.partition("::")[2] for name in names} == {
        "test_looks_away", "test_looks", "test_expected", "test_skips", "test_stored_only"
    }  # fmt: skip


def test_a_wrong_order_of_chunks_is_noticed(pytester):
    pytester.makeconftest(
        """
        import contextlib, fastgraph
        from langgraph.pregel import Pregel

        engine = fastgraph.patched

        @contextlib.contextmanager
        def patched(**options):
            with engine(**options) as status:
                right = Pregel.stream
                def wrong(*args, **given):
                    yield from reversed(list(right(*args, **given)))
                Pregel.stream = wrong
                try:
                    yield status
                finally:
                    Pregel.stream = right

        fastgraph.patched = patched
        """
    )
    pytester.makepyfile(
        """
        from graphs import graph

        def test_it():
            assert len(list(graph(lambda _: {"seen": [1]}).stream({"seen": []},
                stream_mode=["values", "updates"]))) == 3
        """
    )
    result = pytester.runpytest_subprocess(*VERIFY)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["fastgraph: stock and patched differ in *'chunks'*"])


UNSTEADY = """
import itertools, time
from graphs import graph

ticks = itertools.count()

def test_clock():
    graph(lambda state: {"seen": [next(ticks)]}).invoke({"seen": []})

def test_steady():
    graph(lambda state: {"seen": [1]}).invoke({"seen": []})
"""


@pytest.mark.parametrize("workers", [(), XDIST], ids=["one process", "xdist"])
def test_what_differs_on_stock_is_not_comparable_and_said_so(pytester, workers):
    pytester.makepyfile(UNSTEADY)
    result = pytester.runpytest_subprocess(*VERIFY, *workers)
    result.assert_outcomes(passed=2)
    first, second, third = compared(result)
    assert first == "1 graph runs of 1 tests compared: all equal"
    assert second == "1 tests not comparable, as they do not always do the same:"
    assert third.startswith(
        "  test_what_differs_on_stock_is_not_comparable_and_said_so.py::test_clock"
    )
    assert "in graph run 1, invoke of 'LangGraph': ['ended']" in third


def test_what_happens_at_first_only_is_no_difference(pytester):
    pytester.makepyfile(
        """
        from graphs import graph
        first = [True]

        def test_it():
            graph(lambda state: {"seen": [bool(first and first.pop())]}).invoke({"seen": []})
        """
    )
    result = pytester.runpytest_subprocess(*VERIFY)
    assert compared(result) == ["1 graph runs of 1 tests compared: all equal"]


def test_a_test_that_switches_the_engine_itself_is_not_equal(pytester):
    pytester.makepyfile(
        """
        import fastgraph
        from graphs import graph

        def test_it():
            with fastgraph.patched():
                graph(lambda state: {"seen": []}).invoke({"seen": []})
        """
    )
    result = pytester.runpytest_subprocess(*VERIFY)
    result.assert_outcomes(passed=1)
    first, second, third = compared(result)
    assert first == "0 graph runs of 0 tests compared: none"
    assert second == "1 tests not comparable, as they do not always do the same:"
    assert "patches or unpatches itself" in third


def test_a_conftest_that_patches_does_not_make_stock_of_it(pytester):
    pytester.makeconftest("import fastgraph; fastgraph.patch()")
    pytester.makepyfile(
        """
        import fastgraph
        from graphs import graph
        seen = []

        def test_it():
            seen.append(fastgraph.is_patched())
            graph(lambda state: {"seen": []}).invoke({"seen": []})

        def test_after():
            assert seen == [False, True]
            assert not fastgraph.is_patched()
        """
    )
    result = pytester.runpytest_subprocess(*VERIFY)
    result.assert_outcomes(passed=2)
    assert compared(result) == ["1 graph runs of 1 tests compared: all equal"]


def test_failures_of_stock_are_told_as_they_are(pytester):
    pytester.makepyfile(
        """
        import pytest
        from graphs import graph

        def run():
            graph(lambda state: {"seen": [1]}).invoke({"seen": []})

        def test_fails():
            run()
            assert "own" == "failure"

        @pytest.fixture
        def broken():
            yield
            raise ValueError("torn")

        def test_teardown(broken):
            run()

        @pytest.mark.xfail(reason="known")
        def test_expected():
            run()
            assert False

        def test_skips():
            run()
            pytest.skip("later")
        """
    )
    result = pytester.runpytest_subprocess(*VERIFY, "-rA")
    result.assert_outcomes(passed=1, failed=1, errors=1, xfailed=1, skipped=1)
    result.stdout.fnmatch_lines(["*ValueError: torn"])
    result.stdout.fnmatch_lines(["*assert 'own' == 'failure'"])
    assert compared(result) == ["4 graph runs of 4 tests compared: all equal"]


def test_warnings_are_told_once_and_errors_if_they_are_errors(pytester):
    pytester.makepyfile(
        """
        import warnings, pytest
        from graphs import graph

        def test_warns():
            warnings.warn("mind the gap")
            graph(lambda state: {"seen": []}).invoke({"seen": []})
        """
    )
    result = pytester.runpytest_subprocess(*VERIFY)
    result.assert_outcomes(passed=1, warnings=1)
    result = pytester.runpytest_subprocess(*VERIFY, "-W", "error:mind")
    result.assert_outcomes(failed=1)


def test_compiled_paths_are_the_ones_that_run(pytester):
    # The compiled `invoke` steps back where `stream` is not upstream's.
    pytester.makepyfile(
        """
        import fastgraph
        from graphs import graph

        def test_it():
            graph(lambda state: {"seen": []}).invoke({"seen": []})
            if fastgraph.is_patched():
                (invoke,) = [t for t in fastgraph.status().targets if t.name == "Pregel.invoke"]
                assert invoke.calls == 1 and not invoke.fallbacks
        """
    )
    result = pytester.runpytest_subprocess(*VERIFY)
    result.assert_outcomes(passed=1)


def test_events_are_compared_where_there_are_handlers(pytester):
    pytester.makeconftest(
        """
        import contextlib, fastgraph
        from langchain_core.callbacks import CallbackManager

        engine = fastgraph.patched

        @contextlib.contextmanager
        def patched(**options):
            with engine(**options) as status:
                right = CallbackManager.on_chain_start
                def wrong(self, serialized, inputs, *args, **given):
                    given["name"] = "somebody else"
                    return right(self, serialized, inputs, *args, **given)
                CallbackManager.on_chain_start = wrong
                try:
                    yield status
                finally:
                    CallbackManager.on_chain_start = right

        fastgraph.patched = patched
        """
    )
    pytester.makepyfile(
        """
        import pytest
        from langchain_core.callbacks import BaseCallbackHandler
        from graphs import graph

        @pytest.mark.parametrize("handlers", [[], [BaseCallbackHandler()]], ids=["none", "one"])
        def test_it(handlers):
            graph(lambda state: {"seen": []}).invoke({"seen": []}, {"callbacks": handlers})
        """
    )
    result = pytester.runpytest_subprocess(*VERIFY)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["fastgraph: stock and patched differ in *'events'*"])


def test_without_kernels_there_is_nothing_to_compare(pytester, without_kernels):
    pytester.makepyfile(ALL_KINDS)
    result = pytester.runpytest_subprocess(*VERIFY)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *fastgraph: there is nothing to compare: *"])
