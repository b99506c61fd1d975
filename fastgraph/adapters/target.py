"""What a patch is, as data: adapters fill these in, `patching` acts on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ABSENT = "absent"
"""Stands for the fingerprint of a source that a release does not have."""


@dataclass(frozen=True)
class BindingSite:
    """A name through which callers reach an upstream function.

    Attributes
    ----------
    module : str
        Importable module that holds the name.
    attribute : str
        The name; dotted for a method (``"Loop.tick"``).
    """

    module: str
    attribute: str

    @property
    def label(self) -> str:
        """``"module:attribute"``."""
        return f"{self.module}:{self.attribute}"


@dataclass(frozen=True)
class Source:
    """An upstream function or class whose behaviour a replacement reproduces.

    Attributes
    ----------
    module : str
        Module that defines it.
    qualname : str
        Its name there; dotted for a method.
    """

    module: str
    qualname: str

    @property
    def label(self) -> str:
        """``"module:qualname"``, the key of fingerprint tables."""
        return f"{self.module}:{self.qualname}"


@dataclass(frozen=True)
class Variant:
    """One behaviour upstream has had, and the sources it was proven against.

    Attributes
    ----------
    key : str
        Handed to the factory, so that it builds the matching replacement.
    fingerprints : mapping of str to frozenset of str
        By source label, every fingerprint this variant reproduces. A source
        that some releases do not have is listed with `ABSENT`.
    """

    key: str
    fingerprints: Mapping[str, frozenset[str]]

    def reproduces(self, found: Mapping[str, str]) -> bool:
        """Tell whether every fingerprint found is one this variant is proven against."""
        return all(value in self.fingerprints.get(label, ()) for label, value in found.items())


@dataclass(frozen=True)
class Target:
    """One upstream function, where it is bound, and what may stand in for it.

    Attributes
    ----------
    name : str
        Unique and short: the upstream function's own name.
    framework : str
        The adapter it belongs to.
    sites : tuple of BindingSite
        Every place that holds the function; the first one defines it.
    sources : tuple of Source
        The function itself, then whatever else the replacement reproduces.
    variants : tuple of Variant
        The behaviours known; the first that fits is taken.
    factories : mapping of str to str
        By kernels implementation, ``"package.module:factory"``. A factory is
        called as ``factory(original, tally, variant_key)``.
    summary : str
        One sentence: what the function does.
    domain : str
        One sentence: which calls the replacement handles itself.
    switched : str or None
        ``"package.module:function"``, called without arguments each time the
        target has been replaced or restored: a replacement that keeps state
        between calls has missed what stock code did meanwhile.
    binaries : mapping of str to frozenset of str
        By distribution, the releases that the replacement was proven against:
        those of compiled code, which has no sources to fingerprint.
    """

    name: str
    framework: str
    sites: tuple[BindingSite, ...]
    sources: tuple[Source, ...]
    variants: tuple[Variant, ...]
    factories: Mapping[str, str]
    summary: str
    domain: str
    switched: str | None = None
    binaries: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def optional(self) -> bool:
        """Whether some releases do without the function, which is no reason to refuse them."""
        label = self.sources[0].label
        return any(ABSENT in variant.fingerprints.get(label, ()) for variant in self.variants)
