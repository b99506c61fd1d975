"""The public functions, on a fake framework."""

from __future__ import annotations

import importlib.metadata
import json
import logging
import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

import fastgraph
from fastgraph import FastgraphWarning, PatchError, adapters, api, kernel_choice
from fastgraph.kernel_choice import KernelChoice

COMPILED = KernelChoice("compiled", "the extensions are built", None)
NUMBA = KernelChoice("numba", "the extensions are not built", "the extensions are not built")
NONE = KernelChoice("none", "the extensions are not built; numba is not installed", "not built")


@pytest.fixture
def framework(fake: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The fake framework in the place of all others, with two targets."""
    fake.write("table", "")
    fake.module("table").TARGETS = (
        fake.target(),
        fake.target("helper", ("core:helper",), ("core:helper",)),
    )
    entry = adapters.Framework(
        name=fake.name,
        probe=f"{fake.name}.core",
        distributions=("pytest", f"{fake.name}-nowhere"),
        table=f"{fake.name}.table:TARGETS",
        fingerprints=f"{fake.name}:fingerprints.json",
        title="Fake Framework",
    )
    monkeypatch.setattr(adapters, "FRAMEWORKS", {fake.name: entry})
    monkeypatch.setattr(api, "_built", {})
    choose(monkeypatch, COMPILED)
    yield fake
    fastgraph.unpatch()


def choose(monkeypatch: pytest.MonkeyPatch, choice: KernelChoice) -> None:
    monkeypatch.setattr(kernel_choice, "choose", lambda: choice)


def test_patch_and_unpatch(framework: Any) -> None:
    assert not fastgraph.is_patched()
    status = fastgraph.patch()
    assert [target.active for target in status.targets] == [True, True]
    assert framework.core.work(1) == ("fast", 1)
    assert fastgraph.is_patched() and fastgraph.is_patched("helper")
    status = fastgraph.unpatch()
    assert [target.reason for target in status.targets] == ["not patched"] * 2
    assert framework.core.work(1) == ("stock", 1)
    assert not fastgraph.is_patched()


def test_patch_adds_and_never_removes(framework: Any) -> None:
    fastgraph.patch(["work"])
    assert fastgraph.is_patched("work") and not fastgraph.is_patched("helper")
    fastgraph.patch([])
    fastgraph.patch(name for name in ["helper", "helper"])
    assert fastgraph.is_patched("work") and fastgraph.is_patched("helper")


def test_unpatch_without_a_patch_is_nothing(framework: Any, caplog: Any) -> None:
    with caplog.at_level(logging.DEBUG, logger="fastgraph"):
        fastgraph.unpatch()
    assert caplog.records == []


@pytest.mark.parametrize("targets", ["work", b"work", 1, [1], ["work", None]])
def test_targets_of_the_wrong_type(framework: Any, targets: Any) -> None:
    with pytest.raises(TypeError, match="name"):
        fastgraph.patch(targets)
    assert not fastgraph.is_patched()


def test_unknown_targets(framework: Any) -> None:
    said = "there is no target 'wrok'; did you mean 'work'? the targets are work, helper"
    with pytest.raises(ValueError, match=re.escape(said)):
        fastgraph.patch(["helper", "wrok"])
    with pytest.raises(ValueError, match=re.escape(said)), fastgraph.patched(["wrok"]):
        pass
    with pytest.raises(ValueError, match=r"'zzz'; the targets are work, helper$"):
        fastgraph.is_patched("zzz")
    assert not fastgraph.is_patched()


def test_patched_restores_the_state_it_found(framework: Any) -> None:
    with fastgraph.patched(["work"]) as status:
        assert [target.active for target in status.targets] == [True, False]
        with fastgraph.patched():
            assert fastgraph.is_patched("helper")
        assert fastgraph.is_patched("work") and not fastgraph.is_patched("helper")
        fastgraph.unpatch()
        with fastgraph.patched(["helper"]):
            pass
        assert not fastgraph.is_patched()
    assert not fastgraph.is_patched()
    fastgraph.patch(["helper"])
    with fastgraph.patched():
        fastgraph.unpatch()
    assert fastgraph.is_patched("helper") and not fastgraph.is_patched("work")


def test_patched_restores_when_the_block_raises(framework: Any) -> None:
    def fail() -> None:
        with fastgraph.patched():
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not fastgraph.is_patched()


def test_patched_decorates(framework: Any) -> None:
    @fastgraph.patched(["work"])
    def call() -> object:
        return framework.core.work(1)

    assert call() == call() == ("fast", 1)
    assert framework.core.work(1) == ("stock", 1)


def test_strict(framework: Any) -> None:
    framework.user.work = print
    with pytest.raises(PatchError, match=r"user:work is held by builtins\.print") as caught:
        fastgraph.patch(strict=True)
    assert list(caught.value.reasons) == ["work"]
    with pytest.raises(PatchError), fastgraph.patched(strict=True):
        pass
    assert not fastgraph.is_patched()
    fastgraph.patch(["helper"], strict=True)


def records(caplog: Any) -> list[tuple[str, str]]:
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def test_log_when_all_is_well(framework: Any, caplog: Any) -> None:
    with caplog.at_level(logging.DEBUG, logger="fastgraph"):
        fastgraph.patch()
    assert records(caplog) == [("INFO", "2 of 2 targets active (compiled kernels)")]
    assert {record.name for record in caplog.records} == {"fastgraph"}


def test_log_when_a_target_stays_stock(framework: Any, caplog: Any) -> None:
    framework.user.work = print
    with caplog.at_level(logging.DEBUG, logger="fastgraph"):
        fastgraph.patch()
    held = f"{framework.name}.user:work is held by builtins.print, not by upstream's function"
    assert records(caplog) == [
        ("INFO", "1 of 2 targets active (compiled kernels)"),
        ("WARNING", f"stock code runs for work ({held})"),
    ]


def test_log_when_a_site_is_left_alone(framework: Any, caplog: Any) -> None:
    fastgraph.patch()
    framework.user.work = print
    with caplog.at_level(logging.DEBUG, logger="fastgraph"):
        status = fastgraph.unpatch()
        fastgraph.unpatch()
    held = f"{framework.name}.user:work is held by builtins.print, not by upstream's function"
    assert records(caplog) == [("WARNING", f"unpatching left alone: {held}")]
    assert status.targets[0].reason == f"not patched; {held}"


def test_no_kernels(framework: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    choose(monkeypatch, NONE)
    with (
        caplog.at_level(logging.DEBUG, logger="fastgraph"),
        pytest.warns(FastgraphWarning) as caught,
    ):
        status = fastgraph.patch()
    assert records(caplog) == [
        ("INFO", "0 of 2 targets active (none kernels)"),
        ("WARNING", f"stock code runs for work, helper ({NONE.reason})"),
    ]
    [warning] = caught
    assert warning.category is FastgraphWarning
    assert str(warning.message) == f"Fake Framework stays as it is: {NONE.reason}"
    assert warning.filename == __file__
    assert [target.reason for target in status.targets] == [NONE.reason] * 2
    assert status.kernels == "none"
    with pytest.raises(PatchError, match="numba is not installed"):
        fastgraph.patch(strict=True)


def test_the_warning_points_at_the_users_line(
    framework: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, NONE)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with fastgraph.patched():
            pass
        fastgraph.patched()(lambda: None)()
    assert [warning.filename for warning in caught] == [__file__] * 2


def test_required_extensions(framework: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTGRAPH_REQUIRE_EXTENSIONS", "1")
    fastgraph.patch()
    fastgraph.unpatch()
    for choice in (NONE, NUMBA):
        choose(monkeypatch, choice)
        with pytest.raises(PatchError, match="FASTGRAPH_REQUIRE_EXTENSIONS is set, but"):
            fastgraph.patch()
    assert not fastgraph.is_patched()


def test_kernels_that_no_target_has(framework: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(monkeypatch, NUMBA)
    status = fastgraph.patch()
    assert status.targets[0].reason == "no numba kernels for this target"


def test_status_says_what_is_installed(framework: Any) -> None:
    status = fastgraph.status()
    assert status.version == fastgraph.__version__
    assert status.frameworks == {"pytest": importlib.metadata.version("pytest")}
    json.dumps(status.to_dict())


def test_known_files_come_from_the_adapter(framework: Any) -> None:
    [entry] = adapters.FRAMEWORKS.values()
    assert entry.known_files() == {}
    files = {"digest": {"path": "core.py", "fingerprints": {"label": "value"}}}
    (framework.directory / "fingerprints.json").write_text(json.dumps({"files": files}))
    assert entry.known_files() == {"digest": {"label": "value"}}


def test_a_framework_that_is_not_installed_costs_nothing(
    framework: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = adapters.Framework("absent", "absent.core", ("absent",), "gone:TARGETS", "gone:file")
    known = {**adapters.FRAMEWORKS, "absent": absent}
    monkeypatch.setattr(adapters, "FRAMEWORKS", known)
    assert len(fastgraph.patch(strict=True).targets) == 2


@pytest.fixture
def two(framework: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A second framework that is there, and two that are not."""
    import dataclasses

    framework.write("table2", "")
    framework.write("other", "def flow():\n    return 'stock'\n")
    framework.write("factories2", "def make_flow(*_):\n    return lambda: 'fast'\n")
    target = framework.target("flow", ("other:flow",), ("other:flow",), "make_flow")
    factories = {"compiled": f"{framework.name}.factories2:make_flow"}
    target = dataclasses.replace(target, framework="second", factories=factories)
    framework.module("table2").TARGETS = (target,)
    [first] = adapters.FRAMEWORKS.values()
    entry = dataclasses.replace(
        first,
        name="second",
        probe=f"{framework.name}.other",
        table=f"{framework.name}.table2:TARGETS",
    )
    absent = adapters.Framework("absent", "absent.core", ("absent",), "gone:TARGETS", "gone:file")
    future = dataclasses.replace(entry, name="future", table="gone:TARGETS", python=(99, 0))
    known = {each.name: each for each in (first, entry, absent, future)}
    monkeypatch.setattr(adapters, "FRAMEWORKS", known)
    return framework


def active() -> list[str]:
    return [target.name for target in fastgraph.status().targets if target.active]


def test_frameworks_are_patched_and_restored_by_name(two: Any) -> None:
    fastgraph.patch(frameworks=["second"], strict=True)
    assert active() == ["flow"]
    assert two.module("other").flow() == "fast"
    fastgraph.patch(strict=True)
    assert active() == ["work", "helper", "flow"]
    fastgraph.unpatch(frameworks=[two.name])
    assert active() == ["flow"]
    with fastgraph.patched(["work"], frameworks=[two.name]):
        assert active() == ["work", "flow"]
    fastgraph.unpatch(frameworks=iter(["second"]))
    fastgraph.patch(frameworks=[])
    assert active() == []


def test_frameworks_are_there_or_the_status_says_why_not(two: Any, caplog: Any) -> None:
    status = fastgraph.patch(frameworks=["absent", "future", "second"])
    assert status.missing == {"absent": "not installed", "future": "needs Python 99.0"}
    assert status.missing == fastgraph.status().missing
    [(level, text)] = records(caplog)
    assert level == "WARNING"
    assert text == "stock code runs for absent (not installed); future (needs Python 99.0)"
    assert active() == ["flow"]
    assert "left out: absent (not installed), future (needs Python 99.0)" in repr(status)


def test_strict_refuses_a_framework_that_is_not_there(two: Any) -> None:
    with pytest.raises(PatchError, match="absent: not installed") as caught:
        fastgraph.patch(frameworks=["second", "absent"], strict=True)
    assert caught.value.reasons == {"absent": "not installed"}
    assert active() == []


def test_a_status_by_framework(two: Any) -> None:
    status = fastgraph.status()
    lines = [line.split(" ")[0] for line in repr(status).splitlines()[4:]]
    assert lines == ["name", f"[{two.name}]", "work", "helper", "[second]", "flow"]
    alone = status.only(["second", "absent"])
    assert [target.name for target in alone.targets] == ["flow"]
    assert alone.missing == {"absent": "not installed"}
    assert "[second]" not in repr(alone)


def test_unknown_frameworks(two: Any) -> None:
    said = "there is no framework 'secnd'; did you mean 'second'? the frameworks are "
    for act in (fastgraph.patch, fastgraph.unpatch, lambda **k: fastgraph.patched(**k).__enter__()):
        with pytest.raises(ValueError, match=re.escape(said)):
            act(frameworks=["secnd"])
    with pytest.raises(ValueError, match=r"'work' is a target of .*, and chosen is second"):
        fastgraph.patch(["work"], frameworks=["second"])
    assert active() == []


@pytest.mark.parametrize("frameworks", ["second", 1, [1], ["second", None]])
def test_frameworks_of_the_wrong_type(two: Any, frameworks: Any) -> None:
    with pytest.raises(TypeError, match="name"):
        fastgraph.patch(frameworks=frameworks)
    assert active() == []


def test_without_kernels_the_frameworks_chosen_are_named(
    two: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, NONE)
    with pytest.warns(FastgraphWarning, match="^Fake Framework stays as it is: "):
        fastgraph.patch(frameworks=["second"])
    with pytest.warns(FastgraphWarning, match="^Fake Framework and Fake Framework stay as they"):
        fastgraph.patch()


def test_no_two_targets_share_a_name() -> None:
    names = [
        target.name for framework in adapters.FRAMEWORKS.values() for target in framework.targets()
    ]
    assert len(names) == len(set(names))


def test_without_any_framework_every_target_says_so(
    framework: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    [entry] = adapters.FRAMEWORKS.values()
    missing = dataclasses.replace(entry, probe="absent.core", distributions=("absent",))
    monkeypatch.setattr(adapters, "FRAMEWORKS", {framework.name: missing})
    site = framework.site("gone:work")
    table = framework.module("table")
    table.TARGETS = (dataclasses.replace(table.TARGETS[0], sites=(site,)),)
    with pytest.raises(PatchError, match=f"work: {framework.name} is not installed"):
        fastgraph.patch(strict=True)
