"""Every environment variable fastgraph obeys, read in this module and nowhere else.

The build loads this file by path before anything is installed, so it imports
nothing but the standard library. Each function reads the environment when it
is called and raises a ValueError naming the variable it does not understand.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

PATCH_ON_IMPORT = "FASTGRAPH"
NO_EXTENSIONS = "FASTGRAPH_NO_EXTENSIONS"
REQUIRE_EXTENSIONS = "FASTGRAPH_REQUIRE_EXTENSIONS"
KERNELS = "FASTGRAPH_KERNELS"
BUILD = "FASTGRAPH_BUILD"
VERIFY = "FASTGRAPH_VERIFY"

BUILDS = ("release", "sanitized", "debug")
KERNEL_PREFERENCES = ("auto", "compiled", "numba")

_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")


def patch_on_import(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether importing fastgraph applies the patch."""
    return _flag(environ, PATCH_ON_IMPORT)


def extensions_disabled(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether to build and run as if the compiled extensions did not exist."""
    disabled, _ = _extensions(environ)
    return disabled


def extensions_required(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether to fail rather than go on without the compiled extensions."""
    _, required = _extensions(environ)
    return required


def kernels(environ: Mapping[str, str] = os.environ) -> str:
    """Return which kernels to use, one of `KERNEL_PREFERENCES`."""
    return _one_of(environ, KERNELS, KERNEL_PREFERENCES)


def build(environ: Mapping[str, str] = os.environ) -> str:
    """Return how to compile the extensions, one of `BUILDS`."""
    return _one_of(environ, BUILD, BUILDS)


def verify(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the pytest plugin compares each test's graph runs with stock's."""
    return _flag(environ, VERIFY)


def _one_of(environ: Mapping[str, str], variable: str, known: Sequence[str]) -> str:
    """Read a word; without one, the first of those known."""
    value = environ.get(variable, "")
    word = value.strip().lower() or known[0]
    if word not in known:
        listed = ", ".join(known)
        raise ValueError(f"{variable}={value!r} is not understood; use one of {listed}")
    return word


def _extensions(environ: Mapping[str, str]) -> tuple[bool, bool]:
    disabled = _flag(environ, NO_EXTENSIONS)
    required = _flag(environ, REQUIRE_EXTENSIONS)
    if disabled and required:
        raise ValueError(f"{NO_EXTENSIONS} and {REQUIRE_EXTENSIONS} contradict each other")
    return disabled, required


def _flag(environ: Mapping[str, str], variable: str) -> bool:
    value = environ.get(variable, "")
    word = value.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE or not word:
        return False
    yes, no = "/".join(_TRUE), "/".join(_FALSE)
    raise ValueError(f"{variable}={value!r} is not understood; use {yes} or {no}")
