"""Aligned plain text."""

from __future__ import annotations

from collections.abc import Sequence


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows in columns: the first to the left, the others, which are figures, to the right.

    Parameters
    ----------
    header
        One title per column.
    rows
        One text per column each.

    Returns
    -------
    str
        The lines, without a final newline.
    """
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(cells, widths) for cells in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    label = cells[0].ljust(widths[0])
    figures = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
    return "   ".join([label, *figures]).rstrip()
