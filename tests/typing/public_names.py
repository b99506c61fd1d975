"""Uses of the public names, for mypy --strict to check; nothing here is run.

A line with ``type: ignore`` is a mistake that mypy has to find: an unused one is an error too.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Literal

from typing_extensions import assert_type

import fastgraph
from fastgraph import FastgraphWarning, PatchError, SiteStatus, Status, TargetStatus


def patching() -> None:
    assert_type(fastgraph.patch(), Status)
    assert_type(fastgraph.patch(["apply_writes"]), Status)
    assert_type(fastgraph.patch({"apply_writes"}, strict=True), Status)
    assert_type(fastgraph.patch(name for name in ("apply_writes", "_triggers")), Status)
    assert_type(fastgraph.patch(codec="slim"), Status)
    assert_type(fastgraph.unpatch(), Status)
    assert_type(fastgraph.status(), Status)
    assert_type(fastgraph.is_patched(), bool)
    assert_type(fastgraph.is_patched("apply_writes"), bool)
    assert_type(fastgraph.__version__, str)


def blocks() -> None:
    block: AbstractContextManager[Status] = fastgraph.patched(["apply_writes"], strict=True)
    with block as found:
        assert_type(found, Status)
    with fastgraph.patched() as entered:
        assert_type(entered, Status)


@fastgraph.patched()
def decorated(number: int) -> str:
    return str(number)


def decorating() -> None:
    assert_type(decorated(1), str)
    decorated("1")  # type: ignore[arg-type]


def statuses(status: Status) -> None:
    assert_type(status.version, str)
    assert_type(status.python, str)
    assert_type(status.frameworks, dict[str, str])
    assert_type(status.kernels, str)
    assert_type(status.kernels_reason, str)
    assert_type(status.targets, tuple[TargetStatus, ...])
    assert_type(status.to_dict(), dict[str, Any])


def targets(target: TargetStatus) -> None:
    assert_type(target.name, str)
    assert_type(target.framework, str)
    assert_type(target.active, bool)
    assert_type(target.reason, str | None)
    assert_type(target.variant, str | None)
    assert_type(target.sites, tuple[SiteStatus, ...])
    assert_type(target.calls, int)
    assert_type(target.fallbacks, dict[str, int])


def sites(site: SiteStatus) -> None:
    assert_type(site.module, str)
    assert_type(site.attribute, str)
    assert_type(site.state, Literal["ours", "stock", "foreign", "absent"])
    # mypy knows the states, so a comparison with any other is found.
    assert site.state != "patched"  # type: ignore[comparison-overlap]


def errors() -> None:
    try:
        fastgraph.patch(strict=True)
    except PatchError as error:
        assert_type(error.reasons, dict[str, str])
    print(PatchError("no", {"apply_writes": "because"}).reasons["apply_writes"])
    refused: RuntimeError = PatchError("no")
    warned: type[RuntimeWarning] = FastgraphWarning
    print(refused, warned)


def mistakes(status: Status) -> None:
    fastgraph.patch([1])  # type: ignore[list-item]
    fastgraph.patch(None, True)  # type: ignore[call-arg, arg-type]
    fastgraph.patch(frameworks=[1])  # type: ignore[list-item]
    fastgraph.patch(codec="thin")  # type: ignore[arg-type]
    fastgraph.patch(strict="yes")  # type: ignore[arg-type]
    fastgraph.unpatch(["apply_writes"])  # type: ignore[call-arg]
    fastgraph.is_patched(1)  # type: ignore[arg-type]
    status.version = "2"  # type: ignore[misc]
    fastgraph.Target  # type: ignore[attr-defined]  # noqa: B018
