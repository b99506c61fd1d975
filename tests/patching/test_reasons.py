"""Each reason to stay stock, and that the other targets go on."""

from __future__ import annotations

import dataclasses
import hashlib
import sys
from pathlib import Path
from typing import Any

import pytest

from fastgraph.adapters.target import ABSENT, Target, Variant
from fastgraph.patching.switch import Switch


def reason(switch: Switch, name: str = "work", kernels: str = "compiled") -> str:
    return switch.patch([name], kernels, strict=False)[name]


def test_the_others_go_on(fake: Any) -> None:
    unknown = fake.target("helper", ("core:helper",), ("core:helper",), variants=())
    switch = fake.switch(unknown, fake.target())
    assert set(switch.patch(list(switch.targets), "compiled", strict=False)) == {"helper"}
    assert switch.is_active("work")


def test_framework_not_installed(fake: Any) -> None:
    fake.version = None
    target = dataclasses.replace(fake.target(sites=("gone:work",)), framework="someframework")
    assert reason(fake.switch(target)) == "someframework is not installed"
    assert f"{fake.name}.factories" not in sys.modules


def test_a_function_that_only_later_releases_have_is_no_reason_to_refuse(fake: Any) -> None:
    absent = {f"{fake.name}.core:gone": frozenset({ABSENT})}
    later = fake.target(
        name="gone",
        sites=("core:gone",),
        sources=("core:gone",),
        variants=(Variant("", absent),),
    )
    switch = fake.switch(fake.target(), later)

    assert switch.patch(["work", "gone"], "compiled", strict=True) == {}
    assert switch.is_active("work")
    assert not switch.is_active("gone")
    (status,) = [status for status in switch.statuses() if status.name == "gone"]
    assert status.reason == f"{fake.name} 1.0 has no {fake.name}.core:gone"
    assert not status.applies


@pytest.mark.parametrize(
    ("module", "said"),
    [("gone", "{}.gone is not installed"), ("broken", "{}.broken does not import (Module")],
)
def test_a_package_that_nobody_needs_is_no_reason_to_refuse(
    fake: Any, module: str, said: str
) -> None:
    package = f"{fake.name}.{module}"
    switch = fake.switch(
        fake.target(sites=("core:work", f"{module}:work")),
        fake.target(name="extra", sites=(f"{module}:work",), sources=("core:work",)),
        optional=(package,),
    )

    assert switch.patch(["work", "extra"], "compiled", strict=True) == {}
    work, extra = switch.statuses()
    assert work.active and work.applies
    assert not extra.active and not extra.applies and not extra.stays_stock
    assert extra.reason.startswith(said.format(fake.name))


def test_a_function_in_a_decorator_of_the_standard_library_is_upstreams(fake: Any) -> None:
    opened = ("core:Record.opened",)
    switch = fake.switch(fake.target(name="opened", sites=opened, sources=opened))
    record = fake.core.Record()

    switch.patch(["opened"], "compiled", strict=True)
    assert record.opened() == ("fast", record)
    switch.unpatch()
    with record.opened() as given:
        assert given is record


def test_a_replacement_hears_of_each_switch(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    monkeypatch.setattr(fake.core, "hear", lambda: heard.append("switched"), raising=False)
    hearing = dataclasses.replace(fake.target(), switched=f"{fake.name}.core:hear")
    switch = fake.switch(hearing)

    switch.patch(["work"], "compiled", strict=True)
    assert heard == ["switched"]
    switch.unpatch()
    assert heard == ["switched", "switched"]


def test_first_site_missing(fake: Any) -> None:
    switch = fake.switch(fake.target(sites=("core:gone", "core:work")))
    assert reason(switch) == f"{fake.name} 1.0 has no {fake.name}.core:gone"
    fake.version = None
    assert reason(switch) == f"{fake.name} has no {fake.name}.core:gone"


@pytest.mark.parametrize("sites", [("broken:work",), ("core:work", "broken:work")])
def test_module_does_not_import(fake: Any, sites: tuple[str, ...]) -> None:
    said = reason(fake.switch(fake.target(sites=sites)))
    assert said.startswith(f"{fake.name}.broken does not import (ModuleNotFoundError: ")
    assert fake.core.work(1) == ("stock", 1)


def test_unknown_fingerprint(fake: Any) -> None:
    target = fake.target()
    fake.write("core", (fake.directory / "core.py").read_text().replace('"stock"', '"other"', 1))
    label = f"{fake.name}.core:work"
    found = fake.fingerprint(fake.source("core:work"))
    said = f"unknown source of {label} (fingerprint {found}, {fake.name} 1.0)"
    assert reason(fake.switch(target)) == said


def test_unknown_combination(fake: Any) -> None:
    def variants(target: Target) -> tuple[Variant, ...]:
        known = dict(target.variants[0].fingerprints)
        work, helper = f"{fake.name}.core:work", f"{fake.name}.core:helper"
        return (
            Variant("a", {**known, work: frozenset({"0"})}),
            Variant("b", {**known, helper: frozenset({"0"})}),
        )

    target = fake.target()
    switch = fake.switch(dataclasses.replace(target, variants=variants(target)))
    assert reason(switch) == f"unknown combination of sources ({fake.name} 1.0)"


def test_the_first_variant_that_fits_is_taken(fake: Any) -> None:
    [only] = fake.target().variants
    wrong = Variant("wrong", {label: frozenset({"0"}) for label in only.fingerprints})
    variants = (wrong, Variant("first", only.fingerprints), Variant("next", only.fingerprints))
    switch = fake.switch(fake.target(variants=variants))
    switch.patch(["work"], "compiled", strict=True)
    assert fake.built[0][2] == "first"


def test_an_absent_source_fits_a_variant_that_says_so(fake: Any) -> None:
    sources = ("core:work", "core:Newer", "newer:anything")
    switch = fake.switch(fake.target(sources=sources[:1]))
    switch.patch(["work"], "compiled", strict=True)
    switch.unpatch()
    known = fake.target(sources=sources[:1]).variants[0].fingerprints
    absent = {fake.source(label).label: frozenset({ABSENT}) for label in sources[1:]}
    target = fake.target(sources=sources, variants=(Variant("old", {**known, **absent}),))
    fake.switch(target).patch(["work"], "compiled", strict=True)
    unprepared = fake.target(sources=sources, variants=(Variant("old", known),))
    assert f"core:Newer (fingerprint {ABSENT}" in reason(fake.switch(unprepared))


def test_no_source_to_read(fake: Any) -> None:
    target = fake.target()
    assert fake.core and fake.user
    (fake.directory / "core.py").unlink()
    assert reason(fake.switch(target)) == f"no source to read for {fake.name}.core"


def test_source_that_does_not_parse(fake: Any) -> None:
    target = fake.target()
    assert fake.core and fake.user
    fake.write("core", "def work(:\n")
    assert f"the source of {fake.name}.core does not parse" in reason(fake.switch(target))


def test_source_in_an_archive(fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zipfile

    target = fake.target()
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as stream:
        for path in fake.directory.glob("*.py"):
            stream.write(path, f"{fake.name}/{path.name}")
            path.unlink()
    fake.directory.rmdir()
    monkeypatch.syspath_prepend(str(archive))
    switch = fake.switch(target)
    assert switch.patch(["work"], "compiled", strict=True) == {}
    assert fake.core.__file__.startswith(str(archive))


def test_a_known_file_is_not_parsed(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    content = (fake.directory / "core.py").read_bytes()
    known = fake.target().variants[0].fingerprints
    fake.known_files = {
        hashlib.sha256(content).hexdigest(): {label: next(iter(v)) for label, v in known.items()}
    }
    target = fake.target()
    assert fake.core
    monkeypatch.setattr("fastgraph.patching.resolve.ast.parse", None)
    assert fake.switch(target).patch(["work"], "compiled", strict=True) == {}


def test_a_patched_source_class(fake: Any) -> None:
    switch = fake.switch()
    fake.core.Channel.update = lambda self, value: None
    said = reason(switch)
    assert said.startswith(f"{fake.name}.core:Channel was replaced by {__name__}.")


def test_a_replaced_source_class(fake: Any) -> None:
    class Channel(fake.core.Channel):  # type: ignore[misc]
        pass

    fake.core.Channel = Channel
    assert f"core:Channel was replaced by {__name__}." in reason(fake.switch())


def test_a_replaced_helper(fake: Any) -> None:
    fake.core.helper = str.lower
    assert "core:helper was replaced by" in reason(fake.switch())


@pytest.mark.parametrize("source", ["Record", "Row", "Loop", "Record.opened"])
def test_what_the_standard_library_puts_into_a_class_is_no_intruder(fake: Any, source: str) -> None:
    target = fake.target(sources=("core:work", f"core:{source}"))
    assert fake.switch(target).patch(["work"], "compiled", strict=True) == {}


def test_no_factory_for_these_kernels(fake: Any) -> None:
    assert reason(fake.switch(), kernels="numba") == "no numba kernels for this target"


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        ("make_nothing", "its factory gave None, which cannot be called"),
        ("make_trouble", "its factory failed (LookupError: no such luck)"),
    ],
)
def test_a_factory_that_fails(fake: Any, factory: str, said: str) -> None:
    assert reason(fake.switch(fake.target(factory=factory))) == said


def test_a_factory_that_is_missing(fake: Any) -> None:
    said = reason(fake.switch(fake.target(factory="make_gone")))
    assert said == f"there is no {fake.name}.factories:make_gone"


def test_a_factory_that_does_not_import(fake: Any) -> None:
    fake.write("factories", "raise ImportError('built for another release')\n")
    said = reason(fake.switch())
    assert said == (
        f"{fake.name}.factories does not import (ImportError: built for another release)"
    )
