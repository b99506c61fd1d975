"""``FASTGRAPH=1`` without any kernels: importing warns, once, at this file's line."""

from __future__ import annotations

import sys
import warnings

sys.modules["numba"] = None  # type: ignore[assignment]

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import fastgraph

ours = [warning for warning in caught if warning.category is fastgraph.FastgraphWarning]
assert [warning.filename for warning in ours] == [__file__], ours
assert "FASTGRAPH_NO_EXTENSIONS" in str(ours[0].message)
assert not fastgraph.is_patched()
