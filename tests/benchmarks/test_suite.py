"""The graphs that all benchmarks run: each of them runs, and gives the same on both engines."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

import fastgraph

cases = pytest.importorskip(
    "benchmarks.suite.cases",
    reason="the benchmarks are in the checkout",
    exc_type=ModuleNotFoundError,
)
from benchmarks.suite import graphs  # noqa: E402
from fastgraph.cli.agreement import plain  # noqa: E402

SUITE = Path(cases.__file__).parent
#: What asv looks for benchmarks in.
MODULES = sorted(path.stem for path in SUITE.glob("*.py") if path.stem != "__init__")
ROOT = Path(__file__).resolve().parents[2]
#: Messages of the agent get ids that are made anew.
WITH_IDS = {"react agent"}


@pytest.mark.parametrize("name", cases.CASES)
def test_each_case_gives_the_same_on_both_engines(name: str) -> None:
    run = cases.CASES[name][0](3)
    expected = plain(run())
    with fastgraph.patched():
        found = plain(run())
    if name not in WITH_IDS:
        assert found == expected


def test_the_graphs_do_what_their_names_say() -> None:
    limit: Any = graphs.UNLIMITED
    assert graphs.nested(3).compile().invoke(cases.given(), limit)["count"] == 4
    assert graphs.sequential(7).compile().invoke(cases.given(), limit)["count"] == 7
    jokes = graphs.fan_out_to_subgraphs(3).compile().invoke(cases.subjects(3), limit)["jokes"]
    assert len(jokes) == 6
    assert graphs.pydantic_state(5).compile().invoke({"count": 0}, limit)["count"] == 5
    values = graphs.wide_dict(4, 6).compile().invoke({"values": cases.zeros(4)}, limit)["values"]
    assert values == {"key0": 6, "key1": 0, "key2": 0, "key3": 0}
    sent = asyncio.run(graphs.afan_out(9).compile().ainvoke(cases.given(), limit))
    assert sorted(sent["log"]) == list(range(9))


def benchmarks() -> list[tuple[str, type, str]]:
    found = []
    for module in MODULES:
        loaded = importlib.import_module(f"benchmarks.suite.{module}")
        for _, each in inspect.getmembers(loaded, inspect.isclass):
            if each.__module__ == loaded.__name__:
                found += [
                    (f"{module}.{each.__name__}.{method}", each, method)
                    for method, _ in inspect.getmembers(each, inspect.isfunction)
                    if method.startswith(("time_", "peakmem_", "timeraw_", "track_"))
                ]
    return found


@pytest.mark.parametrize(
    ("each", "method"),
    [pytest.param(each, method, id=name) for name, each, method in benchmarks()],
)
def test_each_benchmark_runs_at_its_first_parameters(each: type, method: str) -> None:
    if (each.__name__, method) == ("Instructions", "track_per_superstep"):
        pytest.skip("counts under callgrind, as the gate does")
    params = getattr(each, "params", ())
    names = getattr(each, "param_names", ())
    lists = params if params and not isinstance(params[0], str) else (params,) if params else ()
    assert len(lists) == len(names)
    first = [values[0] for values in lists]
    benchmark = each()
    try:
        if hasattr(benchmark, "setup"):
            benchmark.setup(*first)
        result = getattr(benchmark, method)(*first)
    except NotImplementedError as reason:
        pytest.skip(f"asv would leave it out: {reason}")
    finally:
        if hasattr(benchmark, "teardown"):
            benchmark.teardown(*first)
    assert not fastgraph.is_patched()
    if method.startswith("track_"):
        assert getattr(each, method).unit
        assert result >= 0
    if method.startswith("timeraw_"):
        for text in (result,) if isinstance(result, str) else result:
            compile(text, "timeraw", "exec")


def test_every_kind_of_benchmark_is_there() -> None:
    kinds = {method.partition("_")[0] for _, _, method in benchmarks()}
    assert kinds == {"time", "peakmem", "timeraw", "track"}


def test_parameters_name_cases() -> None:
    tracked = importlib.import_module("benchmarks.suite.tracked")
    memory = importlib.import_module("benchmarks.suite.runs").Memory
    for combination in itertools.chain(cases.combinations(), tracked.PAIRED, memory.params[0]):
        name, _, size = combination.rpartition(": ")
        assert int(size) in cases.CASES[name][1]
    assert set(tracked.GROWING) <= set(cases.CASES)


def test_asv_runs_both_engines_over_releases() -> None:
    settings = json.loads((ROOT / "asv.conf.json").read_text())
    assert settings["matrix"]["env_nobuild"] == {"BENCH_ENGINE": ["stock", "patched"]}
    assert len(settings["matrix"]["req"]["langgraph"]) > 1
    assert (ROOT / settings["benchmark_dir"] / "__init__.py").is_file()
