"""The public functions: which targets, which kernels, and what to tell the user."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from types import FrameType
from typing import Literal, TypeAlias

from fastgraph import adapters, kernel_choice, settings
from fastgraph._version import __version__
from fastgraph.errors import FastgraphWarning, PatchError, explained
from fastgraph.kernel_choice import KernelChoice
from fastgraph.patching.status import Status
from fastgraph.patching.switch import Switch

_logger = logging.getLogger("fastgraph")

Codec: TypeAlias = Literal["exact", "slim"]
"""How checkpoints are written."""

CODECS: tuple[Codec, ...] = ("exact", "slim")

# Holds the one switch of the process once somebody asked for it.
_built: dict[str, Switch] = {}
# The codec in use, as a list for it is replaced.
_codec: list[Codec] = ["exact"]


def patch(
    targets: Iterable[str] | None = None,
    *,
    frameworks: Iterable[str] | None = None,
    strict: bool = False,
    codec: Codec | None = None,
) -> Status:
    """Replace upstream functions by fastgraph's, where that changes nothing else.

    A target that cannot be replaced safely keeps running stock code; the
    status returned says why. Targets already replaced stay so, and patching
    twice is patching once.

    Parameters
    ----------
    targets : iterable of str, optional
        Names of the targets to replace; all of them by default.
    frameworks : iterable of str, optional
        Names of the frameworks to replace targets of, such as ``"langgraph"``;
        by default every one that is installed and supported.
    strict : bool, default False
        Replace all of them or none: raise if any would keep running stock
        code, or if a framework named is not there.
    codec : {"exact", "slim"}, optional
        How checkpoints are written: byte for byte as stock does it, or without
        the fields of messages and models that stock fills in by itself. As it
        was by default, which is exact at first.

    Returns
    -------
    Status
        What runs now.

    Raises
    ------
    PatchError
        If `strict` and a target cannot be replaced or a framework named is not
        there, or if extensions are required
        (``FASTGRAPH_REQUIRE_EXTENSIONS=1``) and missing. Nothing is changed
        then.
    ValueError
        If there is no target, framework or codec of that name, if a target is
        none of the frameworks named, or an environment variable is not
        understood.
    TypeError
        If `targets` or `frameworks` is not an iterable of names.

    Warns
    -----
    FastgraphWarning
        If there are neither compiled nor numba kernels to run.
    """
    switch = _switch()
    wanted = _chosen(frameworks)
    names = _selected(switch, targets, wanted)
    if codec is not None and codec not in CODECS:
        raise ValueError(f"there is no codec {codec!r}; the codecs are {', '.join(CODECS)}")
    choice = kernel_choice.choose()
    _require_extensions(choice, strict)
    absent = {} if wanted is None else _missing(wanted)
    if strict and absent:
        raise PatchError(explained(absent), absent)
    if choice.kernels == "none":
        reasons = switch.refuse(names, choice.reason)
        _warn_caller(f"{_titles(wanted)}: {choice.reason}")
    else:
        reasons = switch.patch(names, choice.kernels, strict=strict)
        # Again, for what was loaded only now.
        _write(codec or _codec[-1])
    status = _status(switch, choice)
    _log(status, {**reasons, **absent})
    return status


def unpatch(*, frameworks: Iterable[str] | None = None) -> Status:
    """Restore every upstream function; without a patch, do nothing.

    A name that somebody else has replaced since is left alone, which is
    logged and said in the status.

    Parameters
    ----------
    frameworks : iterable of str, optional
        Names of the frameworks to restore; all of them by default.

    Returns
    -------
    Status
        What runs now.

    Raises
    ------
    ValueError
        If there is no framework of that name.
    TypeError
        If `frameworks` is not an iterable of names.
    """
    switch = _switch()
    wanted = _chosen(frameworks)
    _log_left(switch.unpatch(_selected(switch, None, wanted)))
    if wanted is None or any(adapters.FRAMEWORKS[name].codec for name in wanted):
        _write("exact")
    return _status(switch, kernel_choice.choose())


@contextlib.contextmanager
def patched(
    targets: Iterable[str] | None = None,
    *,
    frameworks: Iterable[str] | None = None,
    strict: bool = False,
    codec: Codec | None = None,
) -> Iterator[Status]:
    """Patch for the length of a ``with`` block, then return to the state found.

    Blocks nest. The patch is the process's, so other threads see it too.

    Parameters
    ----------
    targets : iterable of str, optional
        Names of the targets to replace; all of them by default.
    frameworks : iterable of str, optional
        Names of the frameworks to replace targets of, as for `patch`.
    strict : bool, default False
        Replace all of them or none.
    codec : {"exact", "slim"}, optional
        How checkpoints are written, as for `patch`.

    Yields
    ------
    Status
        What runs inside the block.

    Raises
    ------
    PatchError, ValueError, TypeError
        As `patch` does.
    """
    switch = _switch()
    found, written = switch.on(), _codec[-1]
    try:
        yield patch(targets, frameworks=frameworks, strict=strict, codec=codec)
    finally:
        _log_left(switch.go_back_to(found))
        _write(written)


def is_patched(target: str | None = None) -> bool:
    """Tell whether a replacement is active.

    Parameters
    ----------
    target : str, optional
        The name of a target; any target by default.

    Raises
    ------
    ValueError
        If there is no target of that name.
    """
    switch = _switch()
    names = _selected(switch, None if target is None else [target], None)
    return any(switch.is_active(name) for name in names)


def status() -> Status:
    """Tell what runs now, patched or not, without importing any framework.

    Raises
    ------
    ValueError
        If an environment variable is not understood.
    """
    return _status(_switch(), kernel_choice.choose())


def _switch() -> Switch:
    if "switch" not in _built:
        # No lock: importing a table may wait for an import lock whose holder
        # waits for ours. Of two switches built at once the first one stays.
        _built.setdefault("switch", _new_switch(adapters.FRAMEWORKS))
    return _built["switch"]


def _new_switch(frameworks: Mapping[str, adapters.Framework]) -> Switch:
    # The table of a framework that is not there is not even imported.
    present = [framework for framework in frameworks.values() if framework.why_not is None]
    # With no framework at all, every target is listed as such.
    relevant = present or list(frameworks.values())

    def known_files() -> dict[str, Mapping[str, str]]:
        return {
            digest: known
            for framework in relevant
            for digest, known in framework.known_files().items()
        }

    return Switch(
        targets=[target for framework in relevant for target in framework.targets()],
        known_files=known_files,
        version_of=lambda name: frameworks[name].version,
        optional=[package for framework in relevant for package in framework.optional],
    )


def _chosen(frameworks: Iterable[str] | None) -> list[str] | None:
    """Check names of frameworks; None stands for all that are there."""
    if frameworks is None:
        return None
    return _names("framework", frameworks, adapters.FRAMEWORKS)


def _selected(
    switch: Switch, targets: Iterable[str] | None, frameworks: list[str] | None
) -> list[str]:
    """Name the targets chosen, all of them by default, of the frameworks chosen."""
    known = switch.targets
    if targets is None:
        return [
            name
            for name, target in known.items()
            if frameworks is None or target.framework in frameworks
        ]
    names = _names("target", targets, known)
    for name in names:
        framework = known[name].framework
        if frameworks is not None and framework not in frameworks:
            chosen = ", ".join(frameworks) or "no framework"
            raise ValueError(f"{name!r} is a target of {framework}, and chosen is {chosen}")
    return names


def _names(kind: str, given: Iterable[str], known: Iterable[str]) -> list[str]:
    """Check an argument that names things of a kind, and drop what it repeats."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"{kind}s must be an iterable of names, not {given!r}")
    names = list(dict.fromkeys(given))
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"a {kind}'s name is a str, not {name!r}")
        if name not in known:
            raise ValueError(_unknown(kind, name, known))
    return names


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    import difflib  # only a typo needs it

    close = difflib.get_close_matches(name, known, n=1)
    suggestion = f"did you mean {close[0]!r}? " if close else ""
    return f"there is no {kind} {name!r}; {suggestion}the {kind}s are {', '.join(known)}"


def _missing(names: Iterable[str]) -> dict[str, str]:
    """Say why nothing can be replaced, for each framework of which that is so."""
    found = {name: adapters.FRAMEWORKS[name].why_not for name in names}
    return {name: why for name, why in found.items() if why is not None}


def _titles(names: list[str] | None) -> str:
    """Name the frameworks that stay as they are, as the subject of a sentence."""
    every = adapters.FRAMEWORKS
    chosen = [name for name in every if not names or name in names]
    present = [name for name in chosen if every[name].why_not is None] or chosen
    titles = [every[name].title or name for name in present]
    return " and ".join(titles) + (" stays as it is" if len(titles) == 1 else " stay as they are")


def _write(codec: Codec) -> None:
    """Have the adapters write checkpoints so."""
    _codec[:] = [codec]
    for framework in adapters.FRAMEWORKS.values():
        framework.write(codec)


def _require_extensions(choice: KernelChoice, strict: bool) -> None:
    if choice.extensions_missing and settings.extensions_required():
        raise PatchError(f"{settings.REQUIRE_EXTENSIONS} is set, but {choice.extensions_missing}")
    if choice.kernels == "none" and strict:
        raise PatchError(f"nothing was patched: {choice.reason}")


def _status(switch: Switch, choice: KernelChoice) -> Status:
    versions: dict[str, str] = {}
    for framework in adapters.FRAMEWORKS.values():
        versions.update(framework.versions())
    return Status(
        version=__version__,
        python=platform.python_version(),
        frameworks=versions,
        kernels=choice.kernels,
        kernels_reason=choice.reason,
        targets=switch.statuses(),
        missing=_missing(adapters.FRAMEWORKS),
    )


def _log(status: Status, reasons: Mapping[str, str]) -> None:
    active = sum(target.active for target in status.targets)
    applying = sum(target.applies for target in status.targets)
    _logger.info("%d of %d targets active (%s kernels)", active, applying, status.kernels)
    if reasons:
        by_reason: dict[str, list[str]] = {}
        for name, reason in reasons.items():
            by_reason.setdefault(reason, []).append(name)
        each = "; ".join(f"{', '.join(names)} ({why})" for why, names in by_reason.items())
        _logger.warning("stock code runs for %s", each)


def _log_left(left: list[str]) -> None:
    if left:
        _logger.warning("unpatching left alone: %s", "; ".join(left))


def _warn_caller(message: str) -> None:
    """Warn at the line of the user's code that led here, however it did."""
    frame = sys._getframe()
    while frame.f_back is not None and _is_machinery(frame):
        frame = frame.f_back
    warnings.warn_explicit(
        message,
        FastgraphWarning,
        frame.f_code.co_filename,
        frame.f_lineno,
        module=frame.f_globals.get("__name__"),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


def _is_machinery(frame: FrameType) -> bool:
    file = frame.f_code.co_filename
    return file.startswith((_PACKAGE, "<frozen importlib")) or file == contextlib.__file__


_PACKAGE = os.path.join(os.path.dirname(__file__), "")
