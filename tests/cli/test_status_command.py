"""``fastgraph status`` tells what patch() does in this environment."""

from __future__ import annotations

import json


def test_json_is_what_patch_returns(command, status):
    result = command("status", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout) == status


def test_text_names_versions_kernels_and_every_target(command, status):
    result = command("status")
    assert (result.returncode, result.stderr) == (0, "")
    header, kernels, *_ = result.stdout.splitlines()
    assert header == f"fastgraph {status['version']}, Python {status['python']}"
    assert status["kernels"] in kernels
    for name, version in status["frameworks"].items():
        assert f"{name} {version}" in result.stdout
    # Frameworks' names stand alone above their targets.
    lines = [line.split() for line in result.stdout.splitlines()]
    rows = {words[0]: words[1] for words in lines if len(words) > 1}
    for target in status["targets"]:
        assert rows[target["name"]] == ("yes" if target["active"] else "no")


def test_strict_is_the_exit_status(command, status):
    active = all(target["active"] for target in status["targets"])
    assert command("status", "--strict").returncode == (0 if active else 1)


def test_without_kernels_it_says_why(command, without_kernels):
    result = command("status", env=without_kernels)
    assert (result.returncode, result.stderr) == (0, "")
    assert "none" in result.stdout
    assert "FASTGRAPH_NO_EXTENSIONS" in result.stdout


def test_strict_without_kernels_is_status_1(command, without_kernels):
    result = command("status", "--strict", "--json", env=without_kernels)
    status = json.loads(result.stdout)
    assert result.returncode == (1 if status["targets"] else 0)
    assert status["kernels"] == "none"
    assert not any(target["active"] for target in status["targets"])


def test_required_extensions_are_an_error(command):
    required = {"FASTGRAPH_REQUIRE_EXTENSIONS": "1", "FASTGRAPH_NO_EXTENSIONS": "1"}
    result = command("status", env=required)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("fastgraph: error: ")
    assert result.stderr.count("\n") == 1
