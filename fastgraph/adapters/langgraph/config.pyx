"""Merging configs: a superstep's config with what is a task's own.

Domain: configs in plain dicts. Callbacks are merged by upstream's own function.
"""

from collections.abc import Mapping as _Mapping

from langgraph._internal import _config
from langgraph._internal._constants import CONF as _CONF

from fastgraph.kernels.tally cimport Tally

cdef object Mapping = _Mapping
cdef str CONF = _CONF
cdef object merge_callbacks = getattr(_config, "_merge_callbacks", None)
cdef object DefaultLimit = getattr(_config, "_DefaultRecursionLimit", None)
cdef object DEFAULT_LIMIT = _config.DEFAULT_RECURSION_LIMIT

cdef object stock
cdef Tally tally_
cdef bint default_by_type
cdef bint deep_metadata


cdef object copied(object value):
    """Mappings are copied one level deep, so that a task's metadata is its own."""
    cdef object kind = type(value)
    if kind is str or kind is int or kind is tuple or kind is float or kind is bool:
        return value
    if kind is dict:
        return (<dict>value).copy()
    return dict(value) if isinstance(value, Mapping) else value


cdef object merged_metadata(object base, object new):
    """Both, with values of `new` winning; `lc_versions` alone is merged one level deeper."""
    cdef dict merged = {}
    if not deep_metadata:  # before LangGraph 1.2.5
        return {**base, **new} if base else new
    if base:
        for key, value in base.items():
            merged[key] = copied(value)
    for key, value in new.items():
        if (
            key == "lc_versions"
            and isinstance(merged.get(key), Mapping)
            and isinstance(value, Mapping)
        ):
            merged[key] = {**merged[key], **value}
        else:
            merged[key] = copied(value)
    return merged


cdef bint is_default_limit(object limit) except -1:
    if default_by_type:
        return isinstance(limit, DefaultLimit)
    return limit == DEFAULT_LIMIT


cdef str outside(tuple configs):
    """Why upstream has to run; None inside the domain."""
    for config in configs:
        if config is None:
            continue
        if type(config) is not dict:
            return "a config is not a dict"
        if merge_callbacks is None and (<dict>config).get("callbacks"):
            return "callbacks, which this release merges inline"
    return None


def merge_configs(*configs):
    """Merge configs into a new one; later ones win.

    Replaces `langgraph._internal._config.merge_configs`.
    """
    cdef dict base = {}

    tally_.calls += 1
    reason = outside(configs)
    if reason is not None:
        tally_.fell_back(reason)
        return stock(*configs)
    for config in configs:
        if config is None:
            continue
        for key, value in (<dict>config).items():
            if not value:
                continue
            if key == "metadata":
                base[key] = merged_metadata(base.get(key), value)
            elif key == "tags":
                before = base.get(key)
                base[key] = [*before, *value] if before else value
            elif key == CONF:
                before = base.get(key)
                base[key] = {**before, **value} if before else value
            elif key == "callbacks":
                base[key] = merge_callbacks(base.get(key), value)
            elif key == "recursion_limit":
                if not is_default_limit(value):
                    base[key] = value
            else:
                base[key] = value
    if CONF not in base:
        base[CONF] = {}
    return base


def make_merge_configs(original, Tally tally not None, str variant not None):
    """`variant` says how metadata merges and how the default limit is told, which is left out."""
    global stock, tally_, default_by_type, deep_metadata
    stock, tally_ = original, tally
    default_by_type = variant.endswith("by type")
    deep_metadata = variant.startswith("deep")
    return merge_configs
