"""pytest plugin: ``pytest -p fastgraph.pytest_plugin`` runs a test suite patched.

The patch is in place before any conftest.py is imported, in the workers of pytest-xdist too, and
is taken back when pytest ends. The header of the run says what is active.

With ``--fastgraph-verify`` or ``FASTGRAPH_VERIFY=1`` it is in place for the second run of each test
only, which is compared with a first one on stock.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack

import pytest

import fastgraph
from fastgraph import adapters, settings

_STRICT = "fastgraph_strict"
_FAIL_ON_FALLBACK = "fastgraph_fail_on_fallback"
_VERIFY = "fastgraph_verify"
_FRAMEWORKS = "fastgraph_frameworks"
_MARKER = "fastgraph_allow_fallback"

_status = pytest.StashKey[fastgraph.Status]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, each also as a setting of the same name in the configuration file."""
    group = parser.getgroup("fastgraph")
    for name, effect in (
        (_STRICT, "refuse to run the tests if any target would stay stock"),
        (_FAIL_ON_FALLBACK, "fail a test during which a compiled path falls back to stock code"),
        (_VERIFY, "run each test on stock and patched, and fail it where graph runs differ"),
    ):
        flag = "--" + name.replace("_", "-")
        group.addoption(flag, action="store_true", default=None, help=effect)
        parser.addini(name, effect, type="bool", default=False)
    effect = "patch only these frameworks, by default every one that is installed and supported"
    flag = "--" + _FRAMEWORKS.replace("_", "-")
    group.addoption(flag, metavar="NAMES", help=f"{effect}; separated by commas")
    parser.addini(_FRAMEWORKS, effect, type="args")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Patch before conftest.py files and what they import bind upstream's functions."""
    _patch(early_config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Patch if a conftest.py asked for the plugin, and apply the options."""
    config.addinivalue_line(
        "markers",
        f"{_MARKER}(*reasons): with --fastgraph-fail-on-fallback, let compiled paths fall back to "
        "stock code for these reasons, or for any if none is given",
    )
    status = _patch(config)
    if _is_set(config, _STRICT):
        _refuse_stock(status)
    if _is_set(config, _FAIL_ON_FALLBACK):
        config.pluginmanager.register(_FallbackWatch(), "fastgraph-fallback-watch")
    if _verifies(config):
        # Only now: it imports LangGraph.
        from fastgraph.verify.suite import BothEngines

        config.pluginmanager.register(BothEngines(_frameworks(config)), "fastgraph-both-engines")


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what is active."""
    status = config.stash[_status]
    lines = [f"fastgraph: {status.version}, {_summary(status)}", *_stock_lines(status)]
    if _verifies(config):
        lines.append("fastgraph: tests that run graphs are run on stock and patched")
    return lines


def _patch(config: pytest.Config) -> fastgraph.Status:
    if _status in config.stash:
        return config.stash[_status]
    stack = ExitStack()
    config.add_cleanup(stack.close)
    # Under -W error a warning from importing LangGraph would be taken for a broken LangGraph.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            verifies, frameworks = _verifies(config), _frameworks(config)
            status = stack.enter_context(fastgraph.patched(frameworks=frameworks))
        except (fastgraph.PatchError, ValueError) as error:
            raise pytest.UsageError(f"fastgraph: {error}") from None
    if verifies:
        _leave_stock(status, stack)
    config.stash[_status] = status if frameworks is None else status.only(frameworks)
    _refuse_absent(config, frameworks)
    return config.stash[_status]


def _frameworks(config: pytest.Config) -> list[str] | None:
    # Only the former is there before conftest.py files are imported, only the latter knows the
    # option if one of them asked for the plugin.
    for namespace in (config.known_args_namespace, config.option):
        option: str | None = getattr(namespace, _FRAMEWORKS, None)
        if option is not None:
            return [name.strip() for name in option.split(",") if name.strip()]
    return config.getini(_FRAMEWORKS) or None


def _refuse_absent(config: pytest.Config, frameworks: list[str] | None) -> None:
    missing = config.stash[_status].missing if frameworks is not None else {}
    if missing:
        lines = ", ".join(f"{name} ({why})" for name, why in missing.items())
        raise pytest.UsageError(f"fastgraph: asked for and not there: {lines}")


def _leave_stock(status: fastgraph.Status, stack: ExitStack) -> None:
    """Have tests imported on stock, so that what they bind is upstream's when stock is run."""
    if status.kernels == "none":
        raise pytest.UsageError(f"fastgraph: there is nothing to compare: {status.kernels_reason}")
    stack.close()


def _verifies(config: pytest.Config) -> bool:
    return settings.verify() or _is_set(config, _VERIFY)


def _is_set(config: pytest.Config, name: str) -> bool:
    # Before conftest.py files are loaded, options are not in their final place.
    options = getattr(config, "known_args_namespace", config.option)
    option = getattr(config.option, name, None) or getattr(options, name, None)
    return bool(config.getini(name) if option is None else option)


def _refuse_stock(status: fastgraph.Status) -> None:
    if status.kernels == "none":
        raise pytest.UsageError(f"fastgraph: stock in place: {status.kernels_reason}")
    if lines := _stock_lines(status):
        raise pytest.UsageError("\n".join(lines))


def _summary(status: fastgraph.Status) -> str:
    if status.kernels == "none":
        return f"stock in place: {status.kernels_reason}"
    active = sum(target.active for target in status.targets)
    applying = sum(target.applies for target in status.targets)
    versions = sorted({_framework(target, status) for target in status.targets})
    return f"{status.kernels} kernels, {active}/{applying} targets active ({', '.join(versions)})"


def _framework(target: fastgraph.TargetStatus, status: fastgraph.Status) -> str:
    distribution = adapters.FRAMEWORKS[target.framework].distributions[0]
    return f"{distribution} {status.frameworks.get(distribution, 'not installed')}"


def _stock_lines(status: fastgraph.Status) -> list[str]:
    if status.kernels == "none":
        return []
    return [
        f"fastgraph: {target.name} stays stock: {target.reason}"
        for target in status.targets
        if target.stays_stock
    ]


class _FallbackWatch:
    """Fails the phase of a test in which a compiled path fell back."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        return (yield from _watched(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        return (yield from _watched(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        return (yield from _watched(item))


def _watched(item: pytest.Item) -> Generator[None, object, object]:
    before = _fallbacks()
    # A test that fails on its own raises here and keeps its own message.
    result = yield
    lines = [
        f"  {count} x {target}: {reason}"
        for (target, reason), count in sorted((_fallbacks() - before).items())
        if not _is_allowed(item, reason)
    ]
    if lines:
        text = "\n".join(["fastgraph: compiled paths fell back to stock code", *lines])
        pytest.fail(text, pytrace=False)
    return result


def _fallbacks() -> Counter[tuple[str, str]]:
    """Count the fallbacks of this process so far by target and reason."""
    return Counter(
        {
            (target.name, reason): count
            for target in fastgraph.status().targets
            for reason, count in target.fallbacks.items()
        }
    )


def _is_allowed(item: pytest.Item, reason: str) -> bool:
    return any(
        not marker.args or reason in marker.args for marker in item.iter_markers(name=_MARKER)
    )
