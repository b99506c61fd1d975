"""The command line as a whole: version, help and misuse."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import fastgraph
from fastgraph.cli import main
from fastgraph.cli.parser import comma_separated, positive_int
from fastgraph.cli.table import aligned


def test_version(command):
    result = command("--version")
    assert (result.returncode, result.stdout) == (0, f"fastgraph {fastgraph.__version__}\n")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise")
def test_a_reader_that_has_enough(command):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        program = [sys.executable, "-m", "fastgraph", "status"]
        done = subprocess.run(program, stdout=writing, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("words", [(), ("run",), ("status",), ("demo",), ("bench",), ("profile",)])
def test_help_has_examples(words, capsys):
    with pytest.raises(SystemExit) as exit_:
        main([*words, "--help"])
    assert exit_.value.code == 0
    text = capsys.readouterr().out
    assert "examples:\n" in text
    assert f"fastgraph {words[0] if words else 'status'}" in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "required: command"),
        (["fly"], "invalid choice: 'fly'"),
        (["status", "--jsn"], "--jsn"),
        (["status", "--js"], "--js"),
        (["demo", "--rounds", "0"], "at least 1, not '0'"),
        (["demo", "--turns", "many"], "at least 1, not 'many'"),
        (["demo", "extra"], "extra"),
    ],
)
def test_misuse_is_one_line_and_status_2(words, reason, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(words)
    assert exit_.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("fastgraph: error: ")
    assert reason in err
    assert err.count("\n") == 1


def test_numbers_and_names():
    assert positive_int("12") == 12
    assert comma_separated(" a, b,") == ["a", "b"]


def test_table_aligns_figures_to_the_right():
    table = aligned(("", "time"), [("stock", "10 ms"), ("patched", "9 ms")])
    assert table == "           time\nstock     10 ms\npatched    9 ms"
