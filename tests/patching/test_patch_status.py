"""A status reads well, and is JSON."""

from __future__ import annotations

import json
import textwrap

from fastgraph import SiteStatus, Status, TargetStatus


def status(*targets: TargetStatus, frameworks: dict[str, str] | None = None) -> Status:
    return Status(
        "0.1", "3.11.7", frameworks or {}, "compiled", "the extensions are built", targets
    )


ACTIVE = TargetStatus(
    name="apply",
    framework="framework",
    active=True,
    reason=None,
    variant="new",
    sites=(SiteStatus("framework.core", "apply", "ours"),),
    calls=1200,
    fallbacks={"b is odd": 2, "a is odd": 30, "c is odd": 2},
)
STOCK = TargetStatus("prepare_everything", "framework", False, "not patched", None, ())


def test_repr_is_a_table() -> None:
    expected = """\
        fastgraph 0.1, Python 3.11.7
        kernels: compiled (the extensions are built)
        frameworks: framework 1.0, framework-extra 2.0
        name                active  calls  fell back  why
        apply               yes      1200         34  a is odd (30); b is odd (2); c is odd (2)
        prepare_everything  no          0          0  not patched"""
    shown = status(ACTIVE, STOCK, frameworks={"framework": "1.0", "framework-extra": "2.0"})
    assert repr(shown) == textwrap.dedent(expected)


def test_repr_of_nothing() -> None:
    assert repr(status()).splitlines()[2:] == [
        "frameworks: none installed",
        "name  active  calls  fell back  why",
    ]


def test_to_dict_is_json() -> None:
    plain = status(ACTIVE, STOCK).to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["kernels"] == "compiled"
    assert plain["targets"][0] == {
        "name": "apply",
        "framework": "framework",
        "active": True,
        "reason": None,
        "variant": "new",
        "sites": [{"module": "framework.core", "attribute": "apply", "state": "ours"}],
        "calls": 1200,
        "fallbacks": {"b is odd": 2, "a is odd": 30, "c is odd": 2},
        "applies": True,
    }
