"""Names separated by commas, each of them one of those known."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from fastgraph.cli.parser import CommandError


def chosen(option: str, text: str, known: Sequence[str]) -> list[str]:
    """Split and check the names of an option.

    Raises
    ------
    CommandError
        If there is none, or one is not known.
    """
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise CommandError(f"{option} expects names separated by commas: {', '.join(known)}")
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise CommandError(f"{option} knows {', '.join(known)}, not {name!r}{hint}")
    return names
