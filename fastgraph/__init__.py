"""Opt-in engine plugin for LangGraph: ``import fastgraph; fastgraph.patch()``."""

from fastgraph import settings as _settings
from fastgraph._version import __version__
from fastgraph.api import is_patched, patch, patched, status, unpatch
from fastgraph.errors import FastgraphWarning, PatchError
from fastgraph.patching.status import SiteStatus, Status, TargetStatus

__all__ = [
    "FastgraphWarning",
    "PatchError",
    "SiteStatus",
    "Status",
    "TargetStatus",
    "__version__",
    "is_patched",
    "patch",
    "patched",
    "status",
    "unpatch",
]

if _settings.patch_on_import():
    patch()
