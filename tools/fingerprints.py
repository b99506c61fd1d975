#!/usr/bin/env python
"""Gather the fingerprints of upstream's sources from its wheels.

Reads the wheels of every release in a range, fingerprints each source that
the table of a framework's adapter names, and writes what it found next to
that table. Upstream is parsed, never imported, so that it need not run on the
Python that the tool runs on; where its syntax is newer, the tool says so and
is run by a newer Python. A fingerprint is the same on all of them.

The file has two parts. "sources" tells by source and fingerprint which
releases have it: what a maintainer looks up. "files" tells by the SHA-256 of
an upstream file the fingerprints in it: what lets patch() skip parsing.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import hashlib
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from fastgraph.adapters import FRAMEWORKS, Framework  # noqa: E402
from fastgraph.adapters.target import ABSENT, Source, Target  # noqa: E402
from fastgraph.patching.fingerprint import find, fingerprint_of  # noqa: E402

# The releases of a framework's own distribution that are looked at.
RANGES = {
    "ag-ui": "==0.0.47",
    "langgraph": ">=1.0,<2",
    "brainyflow": ">=2.1,<3",
}

# Which distribution ships a module: the longest prefix decides.
DISTRIBUTIONS = {
    "ag_ui": "ag-ui-protocol",
    "ag_ui_langgraph": "ag-ui-langgraph",
    "aiosqlite": "aiosqlite",
    "brainyflow": "brainyflow",
    "langgraph": "langgraph",
    "langgraph.cache": "langgraph-checkpoint",
    "langgraph.checkpoint": "langgraph-checkpoint",
    "langgraph.checkpoint.postgres": "langgraph-checkpoint-postgres",
    "langgraph.checkpoint.sqlite": "langgraph-checkpoint-sqlite",
    "langgraph.prebuilt": "langgraph-prebuilt",
    "langgraph.store": "langgraph-checkpoint",
    "langgraph_sdk": "langgraph-sdk",
    "langchain_core": "langchain-core",
}


class ToolError(Exception):
    """Something the user can mend, said in one line."""


@dataclass(frozen=True)
class Release:
    """One version of one distribution."""

    distribution: str
    version: Version

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


class Wheels:
    """Wheels in a directory, downloaded into it where that is allowed."""

    def __init__(self, directory: Path, *, download: bool) -> None:
        self._directory = directory
        self._download = download
        if not download and not directory.is_dir():
            raise ToolError(f"there is no directory {directory}")

    def releases(self, main: str, specifiers: SpecifierSet) -> list[Release]:
        """List the releases of a distribution within a range, oldest first."""
        versions = _published(main) if self._download else self._present(main)
        wanted = [Release(main, version) for version in sorted(specifiers.filter(versions))]
        if not wanted:
            raise ToolError(f"no release of {main} is in the range {specifiers}")
        return wanted

    def open(self, release: Release) -> Wheel:
        """Open a release's wheel."""
        path = self._find(release)
        if path is None and self._download:
            print(f"downloading {release}", file=sys.stderr)
            requirement = f"{release.distribution}=={release.version}"
            self._directory.mkdir(parents=True, exist_ok=True)
            target = ["--only-binary", ":all:", "--dest", str(self._directory)]
            _pip("download", "--quiet", "--no-deps", *target, requirement)
            path = self._find(release)
        if path is None:
            raise ToolError(f"there is no wheel of {release} in {self._directory}")
        return Wheel(release, path)

    def _present(self, main: str) -> list[Version]:
        return [release.version for release, _ in self._wheels() if release.distribution == main]

    def _find(self, wanted: Release) -> Path | None:
        return next((path for release, path in self._wheels() if release == wanted), None)

    def _wheels(self) -> Iterator[tuple[Release, Path]]:
        for path in sorted(self._directory.glob("*.whl")):
            try:
                name, version, _, _ = parse_wheel_filename(path.name)
            except InvalidWheelFilename as error:
                raise ToolError(str(error)) from None
            yield Release(name, version), path


class Wheel:
    """What a release's modules contain."""

    def __init__(self, release: Release, path: Path) -> None:
        self.release = release
        try:
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if name.endswith(".py")]
                self._contents = {name: archive.read(name) for name in names}
        except zipfile.BadZipFile:
            raise ToolError(f"{path} is not a wheel") from None
        self._modules: dict[str, Module] = {}

    def module(self, name: str) -> Module | None:
        """Return a module, None if this release has no such module."""
        stem = name.replace(".", "/")
        for path in (f"{stem}.py", f"{stem}/__init__.py"):
            if path in self._contents and path not in self._modules:
                self._modules[path] = Module(path, self._contents[path])
            if path in self._modules:
                return self._modules[path]
        return None

    def fingerprint(self, source: Source) -> str:
        """Fingerprint a source."""
        module = self.module(source.module)
        return ABSENT if module is None else module.fingerprint(source)

    def text(self, source: Source) -> list[str]:
        """Return the lines of a source's definition; none if it is absent."""
        module = self.module(source.module)
        return [] if module is None else module.text(source)


class Module:
    """An upstream file."""

    def __init__(self, path: str, content: bytes) -> None:
        self.path = path
        self.digest = hashlib.sha256(content).hexdigest()
        self._content = content

    @cached_property
    def _tree(self) -> ast.Module:
        try:
            return ast.parse(self._content, self.path)
        except SyntaxError as error:
            raise ToolError(
                f"this Python does not parse {self.path}: {error}; a newer one may"
            ) from None

    def fingerprint(self, source: Source) -> str:
        """Fingerprint a definition of this file."""
        return fingerprint_of(self._tree, source.qualname)

    def text(self, source: Source) -> list[str]:
        """Return the lines of a definition, decorators included."""
        node = find(self._tree, source.qualname)
        if node is None:
            return []
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        return self._content.decode().splitlines()[first - 1 : node.end_lineno]


Document = dict[str, dict[str, Any]]


def gather(wheels: Wheels, releases: Iterable[Release], sources: Iterable[Source]) -> Document:
    """Fingerprint every source in the releases of its distribution."""
    found: dict[str, dict[str, list[str]]] = {source.label: {} for source in sources}
    files: dict[str, dict[str, Any]] = {}
    for release in releases:
        print(f"reading {release}", file=sys.stderr)
        wheel = wheels.open(release)
        for source in sources:
            if distribution_of(source.module) != release.distribution:
                continue
            value = wheel.fingerprint(source)
            found[source.label].setdefault(value, []).append(str(release.version))
            module = wheel.module(source.module)
            if module is not None:
                known = {"path": module.path, "fingerprints": {}}
                files.setdefault(module.digest, known)["fingerprints"][source.label] = value
    return {"sources": found, "files": files}


def distribution_of(module: str) -> str:
    """Name the distribution that ships a module."""
    prefixes = [prefix for prefix in DISTRIBUTIONS if f"{module}.".startswith(f"{prefix}.")]
    if not prefixes:
        raise ToolError(f"it is not known which distribution ships {module}")
    return DISTRIBUTIONS[max(prefixes, key=len)]


def render(document: Document) -> str:
    """Serialize with sorted keys and one line per list, so that diffs stay small."""
    text = json.dumps(document, indent=1, sort_keys=True)
    return re.sub(r"\[[^\[\]]*\]", _on_one_line, text) + "\n"


def _on_one_line(array: re.Match[str]) -> str:
    return json.dumps(json.loads(array[0]))


def differences(committed: Document, gathered: Document) -> Iterator[str]:
    """Say, one line each, what the committed file lacks or should not have."""
    old, new = set(_facts(committed)), set(_facts(gathered))
    yield from (f"missing: {fact}" for fact in sorted(new - old))
    yield from (f"stale: {fact}" for fact in sorted(old - new))


def _facts(document: Document) -> Iterator[str]:
    for label, values in document["sources"].items():
        for value, releases in values.items():
            yield from (f"{label} is {value} in {release}" for release in releases)
    for digest, file in document["files"].items():
        for label, value in file["fingerprints"].items():
            yield f"{label} is {value} in file {digest[:16]} ({file['path']})"


def unknown_sources(targets: Iterable[Target], wheel: Wheel) -> dict[str, set[str]]:
    """Find the fingerprints of a release that no variant of some target knows.

    Returns the fingerprints known instead, by source label.
    """
    unknown: dict[str, set[str]] = {}
    for target in targets:
        for source in target.sources:
            known = {
                value
                for variant in target.variants
                for value in variant.fingerprints.get(source.label, ())
            }
            if wheel.fingerprint(source) not in known:
                unknown.setdefault(source.label, set()).update(known)
    return unknown


def unfitting_targets(targets: Iterable[Target], wheel: Wheel) -> list[str]:
    """Name the targets none of whose variants reproduces a release."""
    return [
        target.name
        for target in targets
        if not any(variant.reproduces(_found(target, wheel)) for variant in target.variants)
    ]


def _found(target: Target, wheel: Wheel) -> Mapping[str, str]:
    return {source.label: wheel.fingerprint(source) for source in target.sources}


def show(wheels: Wheels, releases: list[Release], targets: Iterable[Target], asked: str) -> int:
    """Print what is unknown about a release; 1 if there is anything."""
    main = releases[0].distribution
    targets = [_within(main, target) for target in targets]
    wheel = wheels.open(Release(main, _version(asked)))
    for label, known in unknown_sources(targets, wheel).items():
        source = Source(*label.split(":"))
        print(f"{label}: {wheel.fingerprint(source)} is unknown")
        nearest = _nearest(wheels, releases, wheel.release, source, known)
        if nearest is not None:
            print("\n".join(difference(source, nearest, wheel)))
    unfitting = unfitting_targets(targets, wheel)
    if unfitting:
        print(f"stock code runs with {wheel.release} for: {', '.join(unfitting)}")
    else:
        print(f"every target has a variant for {wheel.release}")
    return 1 if unfitting else 0


def _within(distribution: str, target: Target) -> Target:
    """Drop the sources that a wheel of the distribution cannot answer for."""
    sources = tuple(s for s in target.sources if distribution_of(s.module) == distribution)
    return replace(target, sources=sources)


def _nearest(
    wheels: Wheels, releases: list[Release], asked: Release, source: Source, known: set[str]
) -> Wheel | None:
    """Open the closest release whose source is known, an older one if there is any."""
    older = [release for release in releases if release.version < asked.version]
    newer = [release for release in releases if release.version > asked.version]
    for release in [*reversed(older), *newer]:
        wheel = wheels.open(release)
        if wheel.fingerprint(source) in known - {ABSENT}:
            return wheel
    return None


def difference(source: Source, before: Wheel, after: Wheel) -> Iterator[str]:
    return difflib.unified_diff(
        before.text(source),
        after.text(source),
        f"{source.label} ({before.release})",
        f"{source.label} ({after.release})",
        lineterm="",
    )


def _published(main: str) -> list[Version]:
    for line in _pip("index", "versions", main).splitlines():
        label, _, versions = line.partition(":")
        if label.strip() == "Available versions":
            return [Version(version) for version in versions.split(",")]
    raise ToolError(f"pip lists no versions of {main}")


def _pip(*arguments: str) -> str:
    command = [sys.executable, "-m", "pip", *arguments, "--disable-pip-version-check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        *_, last = ["no message", *done.stderr.strip().splitlines()]
        raise ToolError(f"pip {arguments[0]} failed: {last}")
    return done.stdout


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion as error:
        raise ToolError(str(error)) from None


def _range(text: str) -> SpecifierSet:
    try:
        return SpecifierSet(text)
    except InvalidSpecifier as error:
        raise ToolError(str(error)) from None


def _release(requirement: str) -> Release:
    name, equals, version = requirement.partition("==")
    if not equals:
        raise ToolError(f"{requirement!r} is not DIST==VERSION")
    return Release(canonicalize_name(name), _version(version))


def _pinned(constraints: Path, main: str) -> SpecifierSet:
    """Exclude what is newer than the release that a constraints file pins."""
    for line in constraints.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        requirement = Requirement(text) if text else None
        if requirement is not None and canonicalize_name(requirement.name) == main:
            [pin] = requirement.specifier
            return SpecifierSet(f"<={pin.version}")
    raise ToolError(f"{constraints} does not pin {main}")


def _recorded_extras(committed: Document, main: str) -> list[Release]:
    """List the releases of other distributions that the committed file knows."""
    extras = {
        Release(distribution_of(label.partition(":")[0]), Version(version))
        for label, values in committed["sources"].items()
        for versions in values.values()
        for version in versions
    }
    return sorted(
        (release for release in extras if release.distribution != main),
        key=lambda release: (release.distribution, release.version),
    )


def _read(path: Path) -> Document:
    try:
        document: Document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {"sources": {}, "files": {}}
    except ValueError as error:
        raise ToolError(f"{path} is not JSON: {error}") from None
    return document


def arguments() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--cache", type=Path, metavar="DIR", help="download the wheels into DIR, each once"
    )
    where.add_argument(
        "--wheels", type=Path, metavar="DIR", help="use the wheels in DIR and download nothing"
    )
    parser.add_argument(
        "--framework",
        action="append",
        choices=[*FRAMEWORKS],
        help="the framework whose sources to read; may be repeated (default: all)",
    )
    parser.add_argument(
        "--releases",
        metavar="RANGE",
        help="the releases of one framework to read (default: "
        + "; ".join(f"{name} {releases}" for name, releases in RANGES.items())
        + ")",
    )
    parser.add_argument(
        "--constraints",
        type=Path,
        metavar="FILE",
        help="read no release beyond the one that this constraints file pins",
    )
    parser.add_argument(
        "--also",
        action="append",
        metavar="DIST==VERSION",
        help="read this release of another distribution too; may be repeated "
        "(default: those the file already knows)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="the file of one framework to write or to check (default: the adapter's)",
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument(
        "--check",
        action="store_true",
        help="write nothing; print a line per difference and exit 1 if the file is stale",
    )
    action.add_argument(
        "--show",
        metavar="RELEASE",
        help="write nothing; print what no variant knows about RELEASE, with a diff "
        "against the nearest release known, and exit 1 if a target has no variant for it",
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Do what the command line asks."""
    chosen = options.framework or [*FRAMEWORKS]
    for option in ("releases", "also", "output", "show"):
        if len(chosen) > 1 and getattr(options, option):
            raise ToolError(f"--{option} is about one framework: add --framework")
    return max([run_framework(options, FRAMEWORKS[name]) for name in chosen])


def run_framework(options: argparse.Namespace, framework: Framework) -> int:
    """Do it for one framework."""
    main = framework.distributions[0]
    wheels = Wheels(options.wheels or options.cache, download=options.wheels is None)
    within = _range(options.releases or RANGES[framework.name])
    if options.constraints:
        within &= _pinned(options.constraints, main)
    releases = wheels.releases(main, within)
    targets = framework.targets()
    if options.show:
        return show(wheels, releases, targets, options.show)
    output = options.output or file_of(framework)
    committed = _read(output)
    extras = _recorded_extras(committed, main)
    if options.also is not None:
        extras = [_release(requirement) for requirement in options.also]
    sources = {source.label: source for target in targets for source in target.sources}
    gathered = gather(wheels, [*releases, *extras], list(sources.values()))
    if options.check:
        return report(differences(committed, gathered))
    output.write_text(render(gathered), encoding="utf-8")
    print(f"wrote {output}", file=sys.stderr)
    return 0


def file_of(framework: Framework) -> Path:
    """Find the file of a framework's fingerprints in the checkout."""
    package, _, name = framework.fingerprints.partition(":")
    return ROOT.joinpath(*package.split("."), name)


def report(lines: Iterable[str]) -> int:
    """Print lines; 1 if there are any."""
    status = 0
    for line in lines:
        print(line)
        status = 1
    return status


def main() -> int:
    """Run the tool."""
    parser = arguments()
    try:
        return run(parser.parse_args())
    except ToolError as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")


if __name__ == "__main__":
    sys.exit(main())
