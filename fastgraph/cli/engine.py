"""Patches the command line's own process and says in its own words what came of it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager, nullcontext

import fastgraph
from fastgraph.api import Codec
from fastgraph.cli.parser import CommandError


def patch_process(
    targets: Iterable[str] | None = None,
    *,
    frameworks: Iterable[str] | None = None,
    strict: bool = False,
    codec: Codec | None = None,
) -> fastgraph.Status:
    """Patch this process, reporting nothing: the command does, once and on one line.

    Parameters
    ----------
    targets
        Names of the targets, by default all.
    frameworks
        Names of the frameworks, by default those that are there.
    strict
        Refuse if any target would stay stock or a framework named is not there.
    codec
        How checkpoints are written, by default as they were.

    Returns
    -------
    fastgraph.Status
        What is active now.

    Raises
    ------
    CommandError
        If a name is unknown or the engine refuses.
    """
    # A filter rather than catch_warnings: that would on its way out also undo the
    # filters which LangGraph and LangChain install while they are being imported.
    warnings.filterwarnings("ignore", category=fastgraph.FastgraphWarning)
    logging.getLogger("fastgraph").addHandler(logging.NullHandler())
    try:
        return fastgraph.patch(targets, frameworks=frameworks, strict=strict, codec=codec)
    except (ValueError, fastgraph.PatchError) as error:
        raise CommandError(one_line(error)) from None


def one_line(error: BaseException) -> str:
    """Join the lines of an error's text."""
    return "; ".join(line.strip() for line in str(error).splitlines() if line.strip())


def why_stock(
    status: fastgraph.Status,
    wanted: Iterable[str] | None = None,
    frameworks: Collection[str] | None = None,
) -> str | None:
    """Say on one line what stayed stock of what was wanted, or None if all is active."""
    if status.kernels == "none":
        return f"stock in place: {status.kernels_reason}"
    said = []
    if frameworks is not None:
        status = status.only(frameworks)
        said = [f"{name}: {why}" for name, why in status.missing.items()]
    names = {target.name for target in status.targets} if wanted is None else set(wanted)
    stock = [each.name for each in status.targets if each.stays_stock and each.name in names]
    if stock:
        said.append(f"{len(stock)} of {len(names)} targets stay stock: {', '.join(stock)}")
    return "; ".join(said) or None


def engine_of(engine: str) -> AbstractContextManager[object]:
    """Enter the state in which ``stock`` or ``patched`` runs."""
    return fastgraph.patched() if engine == "patched" else nullcontext()
