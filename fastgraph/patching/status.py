"""What runs where: the answer to "is it on, and if not, why not"."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, TypeAlias

SiteState: TypeAlias = Literal["ours", "stock", "foreign", "absent"]

_Row: TypeAlias = tuple[str, str, str, str, str]

_TITLES: _Row = ("name", "active", "calls", "fell back", "why")


@dataclass(frozen=True)
class SiteStatus:
    """What one name holds now.

    Attributes
    ----------
    module, attribute : str
        The name.
    state : {"ours", "stock", "foreign", "absent"}
        The replacement, upstream's own function, somebody else's object, or
        no such name: not in this release, or its module not imported so far.
    """

    module: str
    attribute: str
    state: SiteState


@dataclass(frozen=True)
class TargetStatus:
    """What runs for one upstream function.

    Attributes
    ----------
    name : str
        The target.
    framework : str
        The framework it belongs to.
    active : bool
        Whether a replacement is reached through at least one of the sites.
    reason : str or None
        Why it is not active, or not everywhere.
    variant : str or None
        Which upstream behaviour the replacement reproduces.
    sites : tuple of SiteStatus
        Every name the function is bound to.
    calls : int
        Calls into the replacement.
    fallbacks : dict of str to int
        How many of them stock code handled, by reason.
    applies : bool
        False once patching found that this installation does without the
        function: an older release, or a package that is not installed.
    """

    name: str
    framework: str
    active: bool
    reason: str | None
    variant: str | None
    sites: tuple[SiteStatus, ...]
    calls: int = 0
    fallbacks: dict[str, int] = field(default_factory=dict)
    applies: bool = True

    @property
    def stays_stock(self) -> bool:
        """Whether upstream's own function runs where a replacement could."""
        return self.applies and not self.active


@dataclass(frozen=True, repr=False)
class Status:
    """A snapshot of the whole patch; its ``repr`` is a table to read.

    Attributes
    ----------
    version : str
        fastgraph's version.
    python : str
        The Python running.
    frameworks : dict of str to str
        Version by distribution, of those installed that matter.
    kernels : {"compiled", "numba", "none"}
        The implementation a call to ``patch()`` uses.
    kernels_reason : str
        Why that one.
    targets : tuple of TargetStatus
        Every function fastgraph can replace.
    missing : dict of str to str
        The frameworks nothing of which can be replaced here, with the reason.
        Their targets are listed only if no framework is there at all.
    """

    version: str
    python: str
    frameworks: dict[str, str]
    kernels: str
    kernels_reason: str
    targets: tuple[TargetStatus, ...]
    missing: dict[str, str] = field(default_factory=dict)

    def only(self, frameworks: Collection[str]) -> Status:
        """Return the part on some frameworks.

        Parameters
        ----------
        frameworks : collection of str
            Their names, as `TargetStatus.framework` and `missing` have them.
        """
        targets = tuple(target for target in self.targets if target.framework in frameworks)
        missing = {name: why for name, why in self.missing.items() if name in frameworks}
        return replace(self, targets=targets, missing=missing)

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain dicts and lists, for JSON."""
        plain = asdict(self)
        for target in plain["targets"]:
            target["sites"] = list(target["sites"])
        plain["targets"] = list(plain["targets"])
        return plain

    def __repr__(self) -> str:
        return "\n".join([*self._header(), *_table(self.targets)])

    def _header(self) -> list[str]:
        installed = ", ".join(f"{name} {version}" for name, version in self.frameworks.items())
        missing = ", ".join(f"{name} ({why})" for name, why in self.missing.items())
        return [
            f"fastgraph {self.version}, Python {self.python}",
            f"kernels: {self.kernels} ({self.kernels_reason})",
            f"frameworks: {installed or 'none installed'}",
            *([f"left out: {missing}"] if missing else []),
        ]


def _table(targets: Iterable[TargetStatus]) -> list[str]:
    """Lay out the targets, under the name of their framework where there are several."""
    groups: dict[str, list[_Row]] = {}
    for target in targets:
        groups.setdefault(target.framework, []).append(_row(target))
    rows = [_TITLES, *(row for group in groups.values() for row in group)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(_TITLES, widths)]
    for framework, group in groups.items():
        lines += [f"[{framework}]"] if len(groups) > 1 else []
        lines += [_line(row, widths) for row in group]
    return lines


def _row(target: TargetStatus) -> _Row:
    fell_back = sum(target.fallbacks.values())
    active = "yes" if target.active else "no"
    return target.name, active, str(target.calls), str(fell_back), _why(target)


def _why(target: TargetStatus) -> str:
    causes = [target.reason] if target.reason else []
    by_count = sorted(target.fallbacks.items(), key=lambda item: (-item[1], item[0]))
    causes += [f"{reason} ({count})" for reason, count in by_count]
    return "; ".join(causes)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    name, active, calls, fell_back, why = row
    numbers = [calls.rjust(widths[2]), fell_back.rjust(widths[3])]
    return "  ".join([name.ljust(widths[0]), active.ljust(widths[1]), *numbers, why]).rstrip()
