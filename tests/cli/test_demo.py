"""``fastgraph demo``: the comparison finds what differs, the timing is fair, the report honest."""

from __future__ import annotations

import contextlib
import datetime
import functools
import json
import os
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from langgraph.checkpoint.base.id import uuid6
from langgraph.pregel import _checkpoint, _loop

import fastgraph
from fastgraph.cli import checking
from fastgraph.cli.demo import _verdict
from fastgraph.cli.timing import Pair, Spread, paired_rounds


def test_json_report(command):
    result = command("demo", "--json", "--rounds", "2", "--turns", "3")
    assert (result.returncode, result.stderr) == (0, "")
    report = json.loads(result.stdout)
    assert len(report["rounds"]) == 2
    assert report["supersteps"] == 7
    assert report["differences"] == []
    ratios = [pair["stock"] / pair["patched"] for pair in report["rounds"]]
    assert report["ratio"]["median"] == pytest.approx(sum(ratios) / 2)
    assert report["stock_seconds"]["low"] <= report["stock_seconds"]["median"]
    active = [target["name"] for target in report["status"]["targets"] if target["active"]]
    status = json.loads(command("status", "--json").stdout)
    assert active == [target["name"] for target in status["targets"] if target["active"]]


def test_text_report_and_no_progress_off_a_terminal(command):
    result = command("demo", "--rounds", "1", "--turns", "2")
    assert (result.returncode, result.stderr) == (0, "")
    assert "turns with tools: 2, supersteps: 5, paired rounds: 1" in result.stdout
    assert "\nequal: " in result.stdout
    labels = [line.split()[0] for line in result.stdout.splitlines() if line.strip()]
    assert {"stock", "patched"} <= set(labels)


def test_warnings_as_errors(python):
    arguments = ("-m", "fastgraph", "demo", "--rounds", "1", "--turns", "1")
    assert python("-W", "error", *arguments).returncode == 0


def test_stock_in_place_is_said(command, without_kernels):
    result = command("demo", "--rounds", "1", "--turns", "1", env=without_kernels)
    assert (result.returncode, result.stderr) == (0, "")
    assert "\nstock in place: " in result.stdout


def test_missing_saver_is_one_line(command, tmp_path):
    blocker = "import sys\nsys.modules['langgraph.checkpoint.sqlite'] = None\n"
    (tmp_path / "sitecustomize.py").write_text(blocker)
    package = str(Path(fastgraph.__file__).parents[1])
    result = command("demo", env={"PYTHONPATH": os.pathsep.join([str(tmp_path), package])})
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "fastgraph: error: the demo needs langgraph-checkpoint-sqlite: "
        "pip install 'fastgraph-engine[sqlite]'\n"
    )


def test_a_differing_patch_is_found(python, tmp_path):
    # A patch that spoils one written value, as a wrong replacement would.
    program = """\
import contextlib, sys
import fastgraph
from langgraph.channels.binop import BinaryOperatorAggregate

@contextlib.contextmanager
def spoiling():
    stock = BinaryOperatorAggregate.checkpoint
    BinaryOperatorAggregate.checkpoint = lambda self: stock(self)[:-1]
    try:
        yield
    finally:
        BinaryOperatorAggregate.checkpoint = stock

fastgraph.patched = spoiling
from fastgraph.cli import main
sys.exit(main(["demo", "--rounds", "1", "--turns", "2"]))
"""
    (tmp_path / "spoiled.py").write_text(program)
    result = python("spoiled.py")
    assert result.returncode == 1, result.stderr
    assert "NOT EQUAL: " in result.stdout
    assert "rows of checkpoints differ" in result.stdout


def test_stock_runs_are_recorded_equal_and_sources_given_back():
    state = random.getstate()
    first, second = checking.record(2), checking.record(2)
    assert checking.differences(first, second) == []
    assert len(first.tables["checkpoints"]) == 7
    assert first.tables["writes"]
    assert random.getstate() == state
    assert uuid6() != uuid6()
    assert _checkpoint.datetime is datetime.datetime


@pytest.mark.parametrize("late", ["stored", "applied"])
def test_what_is_recorded_does_not_depend_on_which_thread_comes_first(late, monkeypatch):
    expected = checking.record(1)
    owner, name = {
        "stored": (checking.SqliteSaver, "put_writes"),
        "applied": (_loop, "apply_writes"),
    }[late]
    stock = getattr(owner, name)

    @functools.wraps(stock)  # LangGraph looks at the parameters of put_writes
    def slow(*args, **kwargs):
        time.sleep(0.05)
        return stock(*args, **kwargs)

    monkeypatch.setattr(owner, name, slow)
    assert checking.differences(expected, checking.record(1)) == []


def test_differences_name_state_and_table():
    recording = checking.Recording("state", {"writes": [(1,), (2,)]})
    assert checking.differences(recording, replace(recording, state="other")) == [
        "the final state differs"
    ]
    shorter = replace(recording, tables={"writes": [(1,)]})
    assert checking.differences(recording, shorter) == ["1 of 2 rows of writes differ"]
    more = replace(recording, tables={**recording.tables, "extra": [(1,)]})
    assert checking.differences(recording, more) == ["1 of 1 rows of extra differ"]


def test_rounds_alternate_and_patch_only_their_side():
    events = []

    @contextlib.contextmanager
    def patched():
        events.append("on")
        yield
        events.append("off")

    pairs = list(paired_rounds(events.append, patched, 2))
    assert len(pairs) == 2
    assert all(pair.stock > 0 and pair.patched > 0 for pair in pairs)
    warm_up, rounds = events[:4], events[4:]
    assert warm_up == ["stock-warm-up", "on", "patched-warm-up", "off"]
    assert rounds == ["stock-0", "on", "patched-0", "off", "on", "patched-1", "off", "stock-1"]


def test_spread():
    assert Spread.of([2.0]) == Spread(2.0, 2.0, 2.0)
    assert Spread.of([1.0, 2.0, 3.0, 4.0, 5.0]) == Spread(3.0, 2.0, 4.0)
    assert Pair(stock=3.0, patched=2.0).ratio == 1.5


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (Spread(1.25, 1.2, 1.3), "patched is faster here: 20% less"),
        (Spread(0.8, 0.7, 0.9), "patched is slower here: 25% more"),
        (Spread(1.1, 0.9, 1.2), "no difference beyond the noise"),
    ],
)
def test_verdict_is_honest(ratio, words):
    assert words in _verdict(ratio)


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
def test_progress_goes_to_a_terminal(environment, tmp_path):
    import pty

    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "fastgraph", "demo", "--rounds", "1", "--turns", "1"],
        stdout=subprocess.DEVNULL,
        stderr=terminal,
        cwd=tmp_path,
        env=environment,
    )
    assert process.wait(120) == 0
    os.close(terminal)
    shown = os.read(controller, 65536).decode()
    os.close(controller)
    assert "round 1 of 1" in shown
    assert shown.endswith("\r\x1b[K")
