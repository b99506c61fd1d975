"""Merging configs: a superstep's config with what is a task's own.

Domain: configs in plain dicts. Callbacks are merged by upstream's own function.

The metadata of a run's config is a `ChainMap` since LangGraph 1.2.5, whose methods are a dozen
Python calls for each key; it is read from its dicts here, in its order.
"""

from collections import ChainMap as _ChainMap
from collections.abc import Mapping as _Mapping

from langchain_core.callbacks import AsyncCallbackManager as _AsyncCallbackManager
from langchain_core.callbacks import CallbackManager as _CallbackManager
from langgraph._internal import _config
from langgraph._internal._constants import CONF as _CONF

from fastgraph.kernels.tally cimport Tally

cdef object ChainMap = _ChainMap
cdef object Mapping = _Mapping
cdef object CallbackManager = _CallbackManager
cdef object AsyncCallbackManager = _AsyncCallbackManager
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


cdef dict flattened(object mapping):
    """A dict itself, or what a chain of dicts holds in its order; None for anything else."""
    cdef dict flat = {}
    cdef list maps
    cdef Py_ssize_t index
    if type(mapping) is dict:
        return mapping
    if type(mapping) is not ChainMap or type(mapping.maps) is not list:
        return None
    maps = mapping.maps
    # The keys of the last map come first, and the value of the first map that has a key wins.
    for index in range(len(maps) - 1, -1, -1):
        if type(maps[index]) is not dict:
            return None
        flat.update(<dict>maps[index])
    return flat


cdef object merged_metadata(object base, object new):
    """Both, with values of `new` winning; `lc_versions` alone is merged one level deeper."""
    cdef dict merged = {}
    cdef dict flat
    if not deep_metadata:  # before LangGraph 1.2.5
        return {**base, **new} if base else new
    if base:
        flat = flattened(base)
        for key, value in (base if flat is None else flat).items():
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


cdef class ConfigSkeleton:
    """What `merge_configs(config, own)` makes of `config` for every `own` of one superstep.

    Only for tasks whose callbacks replace those of `config`; the run's name and id, which were for
    the replaced ones, are left out from the start, and its configurable values are the caller's.
    """

    @staticmethod
    cdef ConfigSkeleton of(dict config):
        """None where a config, or what is in it, is not of the plain types."""
        cdef ConfigSkeleton skeleton
        cdef dict base = {}
        cdef dict flat
        if outside((config,)) is not None or not config.get(CONF):
            return None
        skeleton = ConfigSkeleton.__new__(ConfigSkeleton)
        skeleton.metadata = flat = {}
        for key, value in config.items():
            if not value or key == "run_name" or key == "run_id":
                continue
            if key == "recursion_limit" and is_default_limit(value):
                continue
            if key == "metadata":
                flat = flattened(value)
                if flat is None:
                    return None
                skeleton.metadata = value
            elif key == "tags":
                skeleton.tags = value
            elif key == "callbacks" and not copies_silently(value):
                return None
            base[key] = value
        skeleton.base = base
        for value in flat.values():
            if copied(value) is not value:
                skeleton.nested = True
        return skeleton

    cdef dict own(self, dict metadata, object tags, object callbacks, dict configurable):
        """A task's own config: the superstep's with its metadata, tags, callbacks, configurable."""
        cdef dict config = self.base.copy()
        if not deep_metadata and not self.metadata:  # before LangGraph 1.2.5
            config["metadata"] = metadata
        elif self.nested or "lc_versions" in metadata:
            config["metadata"] = merged_metadata(self.metadata, metadata)
        else:
            config["metadata"] = self.with_metadata(metadata)
        if tags:
            config["tags"] = [*self.tags, *tags] if self.tags else tags
        config["callbacks"] = callbacks
        config[CONF] = configurable
        return config

    cdef dict with_metadata(self, dict metadata):
        # Anew for each task, as a node may change what the run was given.
        cdef dict merged = flattened(self.metadata)
        if merged is None or merged is self.metadata:
            merged = dict(self.metadata)
        for key, value in metadata.items():
            merged[key] = copied(value) if deep_metadata else value
        return merged


cdef bint copies_silently(object callbacks):
    """Whether the copy that upstream makes of the callbacks, to replace it, runs only its code."""
    cdef object kind = type(callbacks)
    return kind is list or kind is CallbackManager or kind is AsyncCallbackManager


cdef bint merges_configs(object name) except -1:
    """Whether `name`, as upstream's module has it, is the function of this module."""
    return name is merge_configs


def make_merge_configs(original, Tally tally not None, str variant not None):
    """`variant` says how metadata merges and how the default limit is told, which is left out."""
    global stock, tally_, default_by_type, deep_metadata
    stock, tally_ = original, tally
    default_by_type = variant.endswith("by type")
    deep_metadata = variant.startswith("deep")
    return merge_configs
