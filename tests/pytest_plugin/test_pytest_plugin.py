"""The pytest plugin, in pytest processes of its own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import fastgraph
from fastgraph.adapters import FRAMEWORKS

pytest_plugins = ["pytester"]

PLUGIN = ("-p", "fastgraph.pytest_plugin")
XDIST = ("-p", "xdist.plugin", "-n", "2")
STRICT, WATCH = "--fastgraph-strict", "--fastgraph-fail-on-fallback"

# A checkpoint that is not exactly a dict is outside the compiled path of should_interrupt.
FALL_BACK = """\
from collections import UserDict
from langgraph.pregel import _algo

def fall_back():
    checkpoint = UserDict(channel_versions={"channel": 1}, versions_seen={})
    assert _algo.should_interrupt(checkpoint, "*", []) == []
"""

TELL_REASON = """\
import json, fastgraph
from falling import fall_back
fastgraph.patch()
fall_back()
print(json.dumps([
    [target.name, reason] for target in fastgraph.status().targets for reason in target.fallbacks
]))
"""


@pytest.fixture
def status(pytester):
    """Give what patch() returns in a process of its own."""
    text = "import json, fastgraph; print(json.dumps(fastgraph.patch().to_dict()))"
    return json.loads(output_of(text))


@pytest.fixture
def reason(pytester):
    """Make ``falling.fall_back`` available; gives its target and reason."""
    pytester.makepyfile(falling=FALL_BACK)
    found = json.loads(output_of(TELL_REASON))
    if not found:
        pytest.skip("should_interrupt runs stock here")
    return tuple(found[0])


def output_of(program: str) -> str:
    """Run a program in the current directory, which is the pytester's."""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout


def active_in(status):
    return [target["name"] for target in status["targets"] if target["active"]]


def test_header_says_what_is_active(pytester, status):
    pytester.makepyfile("def test_nothing(): pass")
    result = pytester.runpytest_subprocess(*PLUGIN)
    result.assert_outcomes(passed=1)
    (line,) = [line for line in result.outlines if line.startswith("fastgraph: 0")]
    expected = (
        f"fastgraph: {status['version']}, {status['kernels']} kernels, "
        f"{len(active_in(status))}/{len(status['targets'])} targets active"
    )
    if status["targets"]:
        named = {target["framework"] for target in status["targets"]}
        known = [FRAMEWORKS[name].distributions[0] for name in named]
        versions = sorted(f"{name} {status['frameworks'][name]}" for name in known)
        expected += f" ({', '.join(versions)})"
    assert line == expected
    stock = [target for target in status["targets"] if not target["active"]]
    for target in stock:
        assert f"fastgraph: {target['name']} stays stock: {target['reason']}" in result.outlines


@pytest.mark.parametrize("workers", [(), XDIST], ids=["one process", "xdist"])
def test_conftest_and_tests_see_the_patch(pytester, status, workers):
    # By importing a name a conftest.py would keep upstream's function for ever.
    pytester.makeconftest(
        "import fastgraph\n"
        "at_import = [target.name for target in fastgraph.status().targets if target.active]\n"
    )
    pytester.makepyfile(
        f"""
        import fastgraph, pytest
        from conftest import at_import

        @pytest.mark.parametrize("number", range(4))
        def test_is_patched(number):
            now = [target.name for target in fastgraph.status().targets if target.active]
            assert now == at_import == {active_in(status)!r}
        """
    )
    result = pytester.runpytest_subprocess(*PLUGIN, *workers)
    result.assert_outcomes(passed=4)


def test_conftest_may_ask_for_the_plugin(pytester, status):
    pytester.makeconftest("pytest_plugins = ['fastgraph.pytest_plugin']")
    pytester.makepyfile(
        f"""
        import fastgraph
        def test_is_patched():
            now = [target.name for target in fastgraph.status().targets if target.active]
            assert now == {active_in(status)!r}
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["fastgraph: *"])


def test_warnings_may_be_errors(pytester, reason):
    pytester.makepyfile("from falling import fall_back\ndef test_it(): fall_back()")
    flags = ("-W", "error", "-m", "pytest", "-W", "error", *PLUGIN, STRICT)
    assert pytester.run(sys.executable, *flags).ret == 0


def test_warnings_may_be_errors_without_kernels(pytester, without_kernels):
    pytester.makepyfile("def test_nothing(): pass")
    result = pytester.run(sys.executable, "-W", "error", "-m", "pytest", "-W", "error", *PLUGIN)
    assert result.ret == 0
    assert result.errlines == []


@pytest.mark.parametrize("before", [False, True])
def test_end_of_the_session_restores_what_it_found(pytester, status, before):
    pytester.makepyfile("def test_nothing(): pass")
    program = f"""\
import fastgraph, pytest
if {before}:
    fastgraph.patch()
found = fastgraph.is_patched()
assert pytest.main(["-q", *{PLUGIN!r}]) == 0
print("restored", fastgraph.is_patched() == found)
"""
    assert "restored True\n" in output_of(program)


def test_usage_error_restores_too(pytester):
    program = f"""\
import fastgraph, pytest
assert pytest.main(["--no-such-option", *{PLUGIN!r}]) == pytest.ExitCode.USAGE_ERROR
print("patched", fastgraph.is_patched())
"""
    assert "patched False\n" in output_of(program)


def test_without_kernels_tests_run_stock(pytester, without_kernels):
    pytester.makepyfile("import fastgraph\ndef test_stock(): assert not fastgraph.is_patched()")
    result = pytester.runpytest_subprocess(*PLUGIN)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [f"fastgraph: {fastgraph.__version__}, stock in place: *FASTGRAPH_NO_EXTENSIONS*"]
    )


@pytest.mark.parametrize("how", ["option", "setting"])
def test_strict_refuses_stock(pytester, without_kernels, how):
    pytester.makepyfile("def test_nothing(): pass")
    if how == "setting":
        pytester.makeini("[pytest]\nfastgraph_strict = true\n")
    result = pytester.runpytest_subprocess(*PLUGIN, *([STRICT] if how == "option" else []))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: fastgraph: stock in place: *FASTGRAPH_NO_EXTENSIONS*"])


def test_strict_names_the_targets_that_stay_stock(pytester, status):
    if not status["targets"]:
        pytest.skip("nothing to patch")
    name = status["targets"][0]["name"]
    # A wrapper that somebody else put there first keeps the target stock.
    pytester.makepyfile(
        wrapping="""
        import fastgraph
        from langgraph.pregel import _algo
        name = fastgraph.status().targets[0].name
        stock = getattr(_algo, name)
        setattr(_algo, name, lambda *args, **kwargs: stock(*args, **kwargs))
        """
    )
    result = pytester.runpytest_subprocess("-p", "wrapping", *PLUGIN, STRICT)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: *fastgraph: {name} stays stock: *"])


def test_strict_runs_where_everything_is_active(pytester, status):
    pytester.makepyfile("def test_nothing(): pass")
    result = pytester.runpytest_subprocess(*PLUGIN, STRICT)
    all_active = len(active_in(status)) == len(status["targets"])
    assert result.ret == (0 if all_active else pytest.ExitCode.USAGE_ERROR)


def test_bad_setting_of_the_environment_is_a_usage_error(pytester, monkeypatch):
    monkeypatch.setenv("FASTGRAPH_KERNELS", "steam")
    result = pytester.runpytest_subprocess(*PLUGIN)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: fastgraph: *FASTGRAPH_KERNELS*"])


FALLING_TESTS = """
import pytest

import fastgraph
from falling import fall_back

def test_stays():
    pass

def test_falls():
    fall_back()
    fall_back()

def test_after():
    pass

@pytest.fixture
def falling():
    fall_back()

@pytest.fixture
def falling_at_end():
    yield
    fall_back()

def test_setup(falling):
    pass

def test_teardown(falling_at_end):
    pass

def test_own_failure():
    fall_back()
    assert "own" == "failure"
"""


def test_fallbacks_pass_unless_asked(pytester, reason):
    pytester.makepyfile(FALLING_TESTS)
    result = pytester.runpytest_subprocess(*PLUGIN)
    result.assert_outcomes(passed=5, failed=1)


@pytest.mark.parametrize("workers", [(), XDIST], ids=["one process", "xdist"])
def test_a_fallback_fails_its_test_only(pytester, reason, workers):
    pytester.makepyfile(FALLING_TESTS)
    result = pytester.runpytest_subprocess(*PLUGIN, *workers, WATCH, "-rA")
    result.assert_outcomes(passed=3, failed=2, errors=2)
    target, why = reason
    assert result.outlines.count(f"  2 x {target}: {why}") == 1
    assert result.outlines.count(f"  1 x {target}: {why}") == 2
    outcomes = [line for line in result.outlines if line.startswith(("PASSED", "FAILED", "ERROR"))]
    words = {(line.split()[0], line.split("::")[-1].split(" ")[0]) for line in outcomes}
    assert words == {
        ("PASSED", "test_stays"),
        ("FAILED", "test_falls"),
        ("PASSED", "test_after"),
        ("ERROR", "test_setup"),
        ("PASSED", "test_teardown"),
        ("ERROR", "test_teardown"),
        ("FAILED", "test_own_failure"),
    }
    result.stdout.fnmatch_lines(["*assert 'own' == 'failure'"])


def test_setting_turns_the_watch_on(pytester, reason):
    pytester.makeini("[pytest]\nfastgraph_fail_on_fallback = true\n")
    pytester.makepyfile("from falling import fall_back\ndef test_it(): fall_back()")
    pytester.runpytest_subprocess(*PLUGIN).assert_outcomes(failed=1)


def test_marker_allows_fallbacks(pytester, reason):
    pytester.makepyfile(
        f"""
        import pytest
        from falling import fall_back

        allow = pytest.mark.fastgraph_allow_fallback

        @allow
        def test_any(): fall_back()

        @allow("another reason", {reason[1]!r})
        def test_this_one(): fall_back()

        @allow("another reason")
        def test_another(): fall_back()

        @allow({reason[1]!r})
        class TestClass:
            @allow("another reason")
            def test_both(self): fall_back()
        """
    )
    result = pytester.runpytest_subprocess(*PLUGIN, WATCH)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["FAILED *::test_another*"])
    # Without the option the marker is known all the same.
    pytester.runpytest_subprocess(*PLUGIN).assert_outcomes(passed=4)


def test_xfail_and_skip_keep_their_meaning(pytester, reason):
    pytester.makepyfile(
        """
        import pytest
        from falling import fall_back

        @pytest.mark.xfail
        def test_expected(): fall_back()

        def test_skipped():
            fall_back()
            pytest.skip("later")
        """
    )
    result = pytester.runpytest_subprocess(*PLUGIN, WATCH)
    result.assert_outcomes(xfailed=1, skipped=1)


def test_help_and_markers_are_documented(pytester):
    result = pytester.runpytest_subprocess(*PLUGIN, "--help")
    result.stdout.fnmatch_lines(["*--fastgraph-strict*", "*--fastgraph-fail-on-fallback*"])
    result = pytester.runpytest_subprocess(*PLUGIN, "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.fastgraph_allow_fallback(*reasons): *"])
