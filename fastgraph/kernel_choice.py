"""Which implementation of the kernels this process runs."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES

from fastgraph import settings

_PROBE = "fastgraph.kernels.version_vector"


@dataclass(frozen=True)
class KernelChoice:
    """The kernels chosen, and why.

    Attributes
    ----------
    kernels : str
        ``"compiled"``, ``"numba"``, or ``"none"`` where stock code must run.
    reason : str
        Why these, or what is missing.
    extensions_missing : str or None
        Why the compiled extensions cannot be used, whatever was chosen.
    """

    kernels: str
    reason: str
    extensions_missing: str | None


def choose() -> KernelChoice:
    """Choose the kernels the environment asks for, among those available.

    Raises
    ------
    ValueError
        If an environment variable is not understood.
    """
    preference = settings.kernels()
    no_extensions, no_numba = _extensions_missing(), _numba_missing()
    if preference == "compiled":
        return _forced("compiled", no_extensions, no_extensions)
    if preference == "numba":
        return _forced("numba", no_numba, no_extensions)
    if no_extensions is None:
        return KernelChoice("compiled", "the extensions are built", None)
    if no_numba is None:
        return KernelChoice("numba", no_extensions, no_extensions)
    return KernelChoice("none", f"{no_extensions}; {no_numba}", no_extensions)


def _forced(kernels: str, missing: str | None, no_extensions: str | None) -> KernelChoice:
    asked = f"{settings.KERNELS}={kernels}"
    if missing is None:
        return KernelChoice(kernels, asked, no_extensions)
    return KernelChoice("none", f"{asked}, but {missing}", no_extensions)


def _extensions_missing() -> str | None:
    if settings.extensions_disabled():
        return f"the extensions are disabled by {settings.NO_EXTENSIONS}"
    try:
        module = importlib.import_module(_PROBE)
    except Exception as error:  # one built for another Python may fail in any way
        if isinstance(error, ModuleNotFoundError) and _PROBE.startswith(error.name or " "):
            return "the extensions are not built"
        return f"the extensions do not import ({type(error).__name__}: {error})"
    if not (module.__file__ or "").endswith(tuple(EXTENSION_SUFFIXES)):
        return "the extensions are not built"
    return None


def _numba_missing() -> str | None:
    if importlib.util.find_spec("numba") is None:
        return "numba is not installed"
    return None
