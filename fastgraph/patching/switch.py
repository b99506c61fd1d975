"""Turning targets on and off, from any thread, at any time."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from fastgraph.adapters.target import BindingSite, Target
from fastgraph.errors import PatchError, explained
from fastgraph.kernels.tally import Tally
from fastgraph.patching.binding import held_by, place_of
from fastgraph.patching.resolve import Factory, KnownFiles, Plan, Resolver, Sources, completed
from fastgraph.patching.status import SiteState, SiteStatus, TargetStatus
from fastgraph.patching.upstream import (
    Modules,
    NothingToReplace,
    StaysStock,
    is_upstreams,
    one_line,
    unwrapped,
)

NOT_PATCHED = "not patched"


class Switch:
    """Applies and restores targets.

    Whether a target is active is read from the sites themselves, so what other
    code does to them is seen. Each site changes by one assignment: running
    code meets either function, and both work at any time.

    Parameters
    ----------
    targets : iterable of Target
        What can be replaced.
    known_files : callable
        Gives the upstream files whose fingerprints need no parsing.
    version_of : callable
        The version of a framework, None if it is not installed.
    optional : iterable of str
        Packages without which there is nothing to replace in them, rather than
        something that cannot be replaced.
    """

    def __init__(
        self,
        targets: Iterable[Target],
        known_files: Callable[[], KnownFiles],
        version_of: Callable[[str], str | None],
        optional: Iterable[str] = (),
    ) -> None:
        self._targets = {target.name: target for target in targets}
        self._known_files = known_files
        self._version_of = version_of
        self._optional = tuple(optional)
        self._tallies = {name: Tally(name) for name in self._targets}
        # Kept for ever: a replacement may be running, or be held by somebody
        # else's wrapper, long after it was taken out.
        self._replacements: dict[tuple[str, Factory, str], tuple[object, object]] = {}
        self._plans: dict[str, Plan] = {}
        self._on: set[str] = set()
        self._reasons: dict[str, str] = {}
        self._inapplicable: set[str] = set()
        self.renew_lock()
        _switches.add(self)

    @property
    def targets(self) -> Mapping[str, Target]:
        """Every target, by name."""
        return MappingProxyType(self._targets)

    def renew_lock(self) -> None:
        """Forget the lock and whoever holds it, as a forked child must."""
        self._lock = threading.RLock()

    def patch(self, names: Iterable[str], kernels: str, *, strict: bool) -> dict[str, str]:
        """Replace targets; those already replaced stay so.

        Parameters
        ----------
        names : iterable of str
            The targets.
        kernels : str
            Which of each target's factories to use.
        strict : bool
            Replace all of them or none.

        Returns
        -------
        dict of str to str
            Why, for each target that runs stock code.

        Raises
        ------
        PatchError
            If `strict` and a target cannot be replaced.
        """
        wanted = [self._targets[name] for name in names]
        modules = self._load(wanted, kernels)
        sources = Sources(self._known_files())
        with self._lock:
            resolver = Resolver(modules, sources, self._version_of, self._is_ours, self._build)
            plans, reasons = self._resolve(wanted, resolver, kernels)
            self._refuse_if(strict, reasons)
            fresh = [plan for plan in plans if plan.target.name not in self._on]
            for plan in plans:
                self._apply(plan, reasons)
            if strict and reasons:
                self._withdraw(fresh)
            self._reasons.update(reasons)
            self._refuse_if(strict, reasons)
            return reasons

    def refuse(self, names: Iterable[str], reason: str) -> dict[str, str]:
        """Leave targets as they are, remembering why they were not replaced."""
        with self._lock:
            reasons = {name: reason for name in names if not self._is_active(name)}
            self._reasons.update(reasons)
            return reasons

    def unpatch(self, names: Iterable[str] | None = None) -> list[str]:
        """Restore targets, all of them by default.

        Returns
        -------
        list of str
            A line for each site left alone because somebody else holds it.
        """
        with self._lock:
            left: list[str] = []
            for name in self._plans if names is None else names:
                left += self._restore(name)
            return left

    def on(self) -> frozenset[str]:
        """Return the targets that were replaced and not restored since."""
        with self._lock:
            return frozenset(self._on)

    def go_back_to(self, on: frozenset[str]) -> list[str]:
        """Return to what `on` gave earlier; what could not be restored is returned."""
        with self._lock:
            left = self.unpatch(self._on - on)
            for name in on - self._on:
                self._apply(self._plans[name], self._reasons)
            return left

    def is_active(self, name: str) -> bool:
        """Tell whether a replacement is reached through at least one site."""
        with self._lock:
            return self._is_active(name)

    def statuses(self) -> tuple[TargetStatus, ...]:
        """Return the state of every target."""
        with self._lock:
            return tuple(self._status(target) for target in self._targets.values())

    def _load(self, targets: Iterable[Target], kernels: str) -> Modules:
        modules = Modules(self._optional)
        for target in targets:
            modules.load([target.sites[0].module])
            if not modules.has(target.sites[0].module):
                continue  # without the framework there is nothing to decide about
            modules.load(site.module for site in target.sites)
            modules.load(source.module for source in target.sources)
            if kernels in target.factories:
                modules.load([target.factories[kernels].partition(":")[0]])
        return modules

    def _resolve(
        self, targets: Iterable[Target], resolver: Resolver, kernels: str
    ) -> tuple[list[Plan], dict[str, str]]:
        plans: list[Plan] = []
        reasons: dict[str, str] = {}
        for target in targets:
            self._inapplicable.discard(target.name)
            try:
                plan = self._plan(target.name)
                if plan is None or not plan.is_active:
                    plan = resolver.plan(target, kernels)
                plans.append(plan)
            except NothingToReplace as nothing:
                self._reasons[target.name] = str(nothing)
                self._inapplicable.add(target.name)
            except StaysStock as stays:
                reasons[target.name] = str(stays)
        return plans, reasons

    def _refuse_if(self, strict: bool, reasons: Mapping[str, str]) -> None:
        if strict and reasons:
            self._reasons.update(reasons)
            raise PatchError(explained(reasons), reasons)

    def _apply(self, plan: Plan, reasons: dict[str, str]) -> None:
        """Install a plan; a target one of whose sites resists is restored."""
        name = plan.target.name
        was_active = self._is_active(name)
        # Known before the first site changes: a child forked meanwhile can
        # still restore what it inherits.
        self._plans[name] = plan
        try:
            for binding in plan.bindings:
                binding.install()
            resisting = [b.site.label for b in plan.bindings if not b.is_ours]
            if resisting and not was_active:
                raise StaysStock(f"{resisting[0]} did not take the replacement")
        except StaysStock as stays:
            if not was_active:
                self._withdraw([plan])
                reasons[name] = str(stays)
                return
        self._on.add(name)
        self._reasons.pop(name, None)
        _tell(plan.target)

    def _withdraw(self, plans: Iterable[Plan]) -> None:
        for plan in plans:
            for binding in plan.bindings:
                binding.restore()
            self._on.discard(plan.target.name)
            _tell(plan.target)

    def _restore(self, name: str) -> list[str]:
        plan = self._plan(name)
        if plan is None:
            return []
        left = list(self._foreign(plan)) if name in self._on else []
        self._withdraw([plan])
        self._reasons[name] = "; ".join([NOT_PATCHED, *left])
        return left

    def _foreign(self, plan: Plan) -> Iterator[str]:
        for binding in plan.bindings:
            place = place_of(binding.site)
            if place and self._state(plan.target, binding.site) == "foreign":
                yield held_by(binding.site, place)

    def _plan(self, name: str) -> Plan | None:
        plan = self._plans.get(name)
        if plan is not None:
            plan = self._plans[name] = completed(plan)
        return plan

    def _is_active(self, name: str) -> bool:
        plan = self._plan(name)
        return plan is not None and plan.is_active

    def _is_ours(self, thing: object) -> bool:
        return any(thing is replacement for _, replacement in self._replacements.values())

    def _build(self, target: Target, factory: Factory, variant: str, original: object) -> object:
        key = (target.name, factory, variant)
        built_for, replacement = self._replacements.get(key, (None, None))
        if built_for is original:
            return replacement
        try:
            replacement = factory(original, self._tallies[target.name], variant)
        except Exception as error:
            raise StaysStock(f"its factory failed ({one_line(error)})") from error
        if not callable(replacement):
            raise StaysStock(f"its factory gave {replacement!r}, which cannot be called")
        self._replacements[key] = (original, replacement)
        return replacement

    def _status(self, target: Target) -> TargetStatus:
        tally = self._tallies[target.name]
        plan = self._plan(target.name)
        active = plan is not None and plan.is_active
        return TargetStatus(
            name=target.name,
            framework=target.framework,
            active=active,
            reason=self._reason(target.name),
            variant=plan.variant if plan and active else None,
            sites=tuple(
                SiteStatus(site.module, site.attribute, self._state(target, site))
                for site in target.sites
            ),
            calls=tally.calls,
            fallbacks=tally.fallbacks,
            applies=target.name not in self._inapplicable,
        )

    def _reason(self, name: str) -> str | None:
        if name in self._on:
            return "; ".join(self._foreign(self._plans[name])) or None
        if self._is_active(name):
            return "restored, then put back by somebody else"
        return self._reasons.get(name, NOT_PATCHED)

    def _state(self, target: Target, site: BindingSite) -> SiteState:
        plan = self._plans.get(target.name)
        place = place_of(site)
        if place is None:
            return "absent"
        for binding in plan.bindings if plan else ():
            if binding.site == site and place.held is binding.installed:
                return "ours"
            if binding.site == site and place.held is binding.original:
                return "stock"
        home, attribute = sys.modules.get(target.sites[0].module), target.sites[0].attribute
        genuine = home is not None and is_upstreams(unwrapped(place.held), home, attribute)
        return "stock" if genuine else "foreign"


def _tell(target: Target) -> None:
    """Let a replacement know that it was put in place or taken out."""
    if target.switched is not None:
        module, _, function = target.switched.partition(":")
        if module in sys.modules:  # the state is in the module: none yet, nothing to tell
            getattr(sys.modules[module], function)()


_switches: weakref.WeakSet[Switch] = weakref.WeakSet()


def _renew_locks() -> None:
    for switch in _switches:
        switch.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
