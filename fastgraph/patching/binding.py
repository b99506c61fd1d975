"""One replaced name: what it held, what it holds, and how to go back."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from fastgraph.adapters.target import BindingSite
from fastgraph.patching.upstream import Place, StaysStock, look, one_line


@dataclass(frozen=True)
class Binding:
    """A site as it was found, and what replaces it.

    Attributes
    ----------
    site : BindingSite
        The name.
    original : object
        What it held.
    installed : object
        What it holds when replaced.
    own : bool
        Whether its owner stored it, rather than inheriting it.
    """

    site: BindingSite
    original: object
    installed: object
    own: bool

    @property
    def is_ours(self) -> bool:
        """Whether the site holds the replacement now."""
        place = place_of(self.site)
        return place is not None and place.held is self.installed

    def install(self) -> None:
        """Put the replacement where upstream's function still is.

        Raises
        ------
        StaysStock
            If the site does not accept it.
        """
        place = place_of(self.site)
        if place is None or place.held is not self.original:
            return
        try:
            setattr(place.owner, place.name, self.installed)
        except Exception as error:
            reason = f"{self.site.label} cannot be replaced ({one_line(error)})"
            raise StaysStock(reason) from None

    def restore(self) -> None:
        """Put upstream's function back, unless somebody else's object is there."""
        place = place_of(self.site)
        if place is None or place.held is not self.installed or not place.own:
            return
        if self.own:
            setattr(place.owner, place.name, self.original)
        else:
            delattr(place.owner, place.name)


def place_of(site: BindingSite) -> Place | None:
    """Find a site in the modules imported so far."""
    return look(sys.modules.get(site.module), site.attribute)


def held_by(site: BindingSite, place: Place) -> str:
    """Say who holds a site that upstream's function should hold."""
    return f"{site.label} is held by {place.holder}, not by upstream's function"
