"""Deciding, before anything is changed, whether and how a target can be replaced."""

from __future__ import annotations

import ast
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.machinery import SOURCE_SUFFIXES
from types import ModuleType
from typing import TypeAlias, cast

from fastgraph.adapters.target import ABSENT, BindingSite, Source, Target, Variant
from fastgraph.patching.binding import Binding, held_by, place_of
from fastgraph.patching.fingerprint import fingerprint_of
from fastgraph.patching.upstream import (
    Modules,
    NothingToReplace,
    Place,
    StaysStock,
    dressed_like,
    function_of,
    is_upstreams,
    look,
    source_intruder,
    unwrapped,
)

Factory: TypeAlias = Callable[..., object]
"""Called with the original, a tally and a variant's key; gives the replacement."""

KnownFiles: TypeAlias = Mapping[str, Mapping[str, str]]
"""Fingerprints by source label, by the SHA-256 of the file they were taken from."""


@dataclass(frozen=True)
class Plan:
    """Everything needed to replace a target, and to restore it.

    Attributes
    ----------
    target : Target
        What is replaced.
    variant : str
        The behaviour its replacement reproduces.
    bindings : tuple of Binding
        The sites this release has.
    """

    target: Target
    variant: str
    bindings: tuple[Binding, ...]

    @property
    def is_active(self) -> bool:
        """Whether the replacement is reached through at least one site."""
        return any(binding.is_ours for binding in self.bindings)


def completed(plan: Plan) -> Plan:
    """Add the sites that appeared since, such as those of a module then half imported.

    A module that took its name after the others were replaced holds the
    replacement without having been given it.
    """
    bound = {binding.site for binding in plan.bindings}
    late = [_late_binding(plan, site) for site in plan.target.sites if site not in bound]
    found = [binding for binding in late if binding is not None]
    return replace(plan, bindings=(*plan.bindings, *found)) if found else plan


def _late_binding(plan: Plan, site: BindingSite) -> Binding | None:
    place, first = place_of(site), plan.bindings[0]
    original, replacement = function_of(first.original), function_of(first.installed)
    if place is not None and place.function is original:
        return Binding(site, place.held, dressed_like(place.held, replacement), place.own)
    if place is not None and place.function is replacement:
        return Binding(site, dressed_like(place.held, original), place.held, place.own)
    return None


class Sources:
    """Fingerprints of the modules loaded, each file read and parsed at most once.

    Parameters
    ----------
    known_files : mapping
        Files whose fingerprints need no parsing.
    """

    def __init__(self, known_files: KnownFiles) -> None:
        self._known_files = known_files
        self._files: dict[str, _SourceFile] = {}

    def fingerprint(self, module: ModuleType, source: Source) -> str:
        """Fingerprint a function or class of a loaded module.

        Raises
        ------
        StaysStock
            If there is no source to read.
        """
        file = self._files.get(source.module)
        if file is None:
            content = _read_source(module)
            known = self._known_files.get(hashlib.sha256(content).hexdigest(), {})
            file = self._files[source.module] = _SourceFile(content, known)
        return file.fingerprint(source)


class _SourceFile:
    def __init__(self, content: bytes, known: Mapping[str, str]) -> None:
        self._content = content
        self._known = known

    def fingerprint(self, source: Source) -> str:
        if source.label in self._known:
            return self._known[source.label]
        try:
            return fingerprint_of(self._tree, source.qualname)
        except (SyntaxError, ValueError) as error:
            raise StaysStock(f"the source of {source.module} does not parse ({error})") from None

    @cached_property
    def _tree(self) -> ast.Module:
        return ast.parse(self._content)


def _read_source(module: ModuleType) -> bytes:
    file = module.__file__ or ""
    try:
        if file.endswith(tuple(SOURCE_SUFFIXES)) and os.path.isfile(file):
            with open(file, "rb") as stream:
                return stream.read()
        get_source = getattr(module.__loader__, "get_source", None)
        text = get_source(module.__name__) if get_source else None
    except (OSError, ImportError, SyntaxError):
        text = None
    if not isinstance(text, str):
        raise StaysStock(f"no source to read for {module.__name__}")
    return text.encode()


def check_binaries(target: Target) -> None:
    """Refuse compiled code of releases that the replacement was not proven against.

    Raises
    ------
    StaysStock
        If the release installed of one of the distributions is another, or none.
    """
    from importlib import metadata  # slow to import, and of no use before

    for distribution, proven in target.binaries.items():
        try:
            release = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            raise StaysStock(f"{distribution} is not installed") from None
        if release not in proven:
            raise StaysStock(f"unknown release of {distribution} ({release})")


class Resolver:
    """Resolves targets against the modules loaded in this process.

    Parameters
    ----------
    modules : Modules
        What was imported for the occasion; the resolver imports nothing.
    sources : Sources
        Where fingerprints come from.
    version_of : callable
        The version of a framework, None if it is not installed.
    is_ours : callable
        Tells whether an object is one of the replacements.
    build : callable
        ``build(target, factory, variant_key, original)`` gives the replacement.
    """

    def __init__(
        self,
        modules: Modules,
        sources: Sources,
        version_of: Callable[[str], str | None],
        is_ours: Callable[[object], bool],
        build: Callable[[Target, Factory, str, object], object],
    ) -> None:
        self._modules = modules
        self._sources = sources
        self._version_of = version_of
        self._is_ours = is_ours
        self._build = build
        self._intruders: dict[str, str | None] = {}

    def plan(self, target: Target, kernels: str) -> Plan:
        """Plan the replacement of a target.

        Raises
        ------
        StaysStock
            If it cannot be replaced, saying why.
        """
        home = self._home(target)
        variant = self._variant(target)
        check_binaries(target)
        places = self._places(target, home)
        self._check_sources(target)
        factory = self._factory(target, kernels)
        replacement = self._build(target, factory, variant.key, home.function)
        bindings = [
            Binding(site, place.held, dressed_like(place.held, replacement), place.own)
            for site, place in places.items()
        ]
        return Plan(target, variant.key, tuple(bindings))

    def _home(self, target: Target) -> Place:
        """Find where the function is defined."""
        site = target.sites[0]
        left_out = self._modules.why_left_out(site.module)
        if left_out is not None:
            raise NothingToReplace(left_out)
        module = self._modules.get(site.module)
        version = self._version_of(target.framework)
        if module is None and version is None:
            raise StaysStock(f"{target.framework} is not installed")
        place = look(module, site.attribute)
        if place is None:
            kind = NothingToReplace if target.optional else StaysStock
            raise kind(f"{self._release(target)} has no {site.label}")
        return place

    def _release(self, target: Target) -> str:
        version = self._version_of(target.framework)
        return f"{target.framework} {version}" if version else target.framework

    def _variant(self, target: Target) -> Variant:
        found = {source.label: self._fingerprint(source) for source in target.sources}
        for variant in target.variants:
            if variant.reproduces(found):
                return variant
        raise StaysStock(self._unknown(target, found))

    def _fingerprint(self, source: Source) -> str:
        module = self._modules.get(source.module)
        return ABSENT if module is None else self._sources.fingerprint(module, source)

    def _unknown(self, target: Target, found: Mapping[str, str]) -> str:
        release = self._release(target)
        for label, value in found.items():
            if not any(value in variant.fingerprints.get(label, ()) for variant in target.variants):
                return f"unknown source of {label} (fingerprint {value}, {release})"
        return f"unknown combination of sources ({release})"

    def _places(self, target: Target, home: Place) -> dict[BindingSite, Place]:
        """Find the sites this release has, all of which must hold upstream's function."""
        places = {}
        first = target.sites[0]
        for site in target.sites:
            module = self._modules.get(site.module)
            place = look(module, site.attribute)
            if module is None or place is None:
                continue
            genuine = place.function is home.function and (
                site != first or is_upstreams(unwrapped(place.held), module, first.attribute)
            )
            if not genuine:
                raise StaysStock(held_by(site, place))
            places[site] = place
        return places

    def _check_sources(self, target: Target) -> None:
        for source in target.sources:
            intruder = self._intruder(source)
            if intruder is not None:
                raise StaysStock(f"{source.label} was replaced by {intruder}")

    def _intruder(self, source: Source) -> str | None:
        if source.label not in self._intruders:
            module = self._modules.get(source.module)
            self._intruders[source.label] = (
                None if module is None else source_intruder(module, source.qualname, self._is_ours)
            )
        return self._intruders[source.label]

    def _factory(self, target: Target, kernels: str) -> Factory:
        if kernels not in target.factories:
            raise StaysStock(f"no {kernels} kernels for this target")
        module_name, _, name = target.factories[kernels].partition(":")
        factory = getattr(self._modules.get(module_name), name, None)
        if factory is None:
            raise StaysStock(f"there is no {target.factories[kernels]}")
        return cast(Factory, factory)
