"""Callback managers: the copies of tags and metadata that each runnable and each of its steps gets.

Upstream makes them for every node, writer and branch, with handlers or without, and asks for each
of them four times whether something is a `Mapping`. Domain: exactly LangChain's own managers;
subclasses and handlers are used through their own methods.
"""

from collections.abc import Mapping as _Mapping

from langchain_core.callbacks import manager as _manager
from langchain_core.callbacks.manager import AsyncCallbackManager as _AsyncCallbackManager
from langchain_core.callbacks.manager import CallbackManager as _CallbackManager

from fastgraph.kernels.tally cimport Tally

cdef object Mapping = _Mapping
cdef object CallbackManager = _CallbackManager
cdef object AsyncCallbackManager = _AsyncCallbackManager
cdef object ChainRun = _manager.CallbackManagerForChainRun
cdef str VERSIONS = "lc_versions"

cdef object stock_get_child
cdef object stock_aget_child
cdef Tally merge_tally
cdef Tally add_metadata_tally
cdef Tally get_child_tally
cdef Tally aget_child_tally
cdef object stock_on_chain_start
cdef Tally on_chain_start_tally


cdef dict merged(object base, object incoming):
    """Both, with values of `incoming` winning; `lc_versions` accumulates and is copied."""
    cdef dict result = {**base, **incoming}
    # The one key with a rule of its own is in both, in one, or, nearly always, in none.
    if VERSIONS not in result:
        return result
    base_versions = base.get(VERSIONS)
    incoming_versions = incoming.get(VERSIONS)
    if isinstance(incoming_versions, Mapping):
        if isinstance(base_versions, Mapping):
            result[VERSIONS] = {**base_versions, **incoming_versions}
        else:
            result[VERSIONS] = {**incoming_versions}
    elif VERSIONS not in incoming and isinstance(base_versions, Mapping):
        result[VERSIONS] = {**base_versions}
    return result


def _merge_metadata_dicts(base, incoming):
    """Merge metadata into a new dict, accumulating `lc_versions` alone.

    Replaces `langchain_core.runnables.config._merge_metadata_dicts`.
    """
    merge_tally.calls += 1
    return merged(base, incoming)


def add_metadata(self, metadata, inherit=True):
    """Add metadata to a callback manager.

    Replaces `langchain_core.callbacks.base.BaseCallbackManager.add_metadata`.
    """
    add_metadata_tally.calls += 1
    self.metadata = merged(self.metadata, metadata)
    if inherit:
        self.inheritable_metadata = merged(self.inheritable_metadata, metadata)


cdef list unique(list handlers):
    """The handlers, each once, as adding them one by one leaves them."""
    cdef list kept = []
    for handler in handlers:
        if handler not in kept:
            kept.append(handler)
    return kept


cdef object child_of(object run_manager, object cls, object tag):
    """A manager for the runs below `run_manager`'s, with what is inherited from it."""
    cdef list tags, inheritable_tags
    manager = cls.__new__(cls)
    handlers = run_manager.inheritable_handlers
    tags = list(run_manager.inheritable_tags)
    inheritable_tags = tags.copy()
    metadata = run_manager.inheritable_metadata
    if tag is not None:
        if tag in tags:
            # Upstream moves a tag that was inherited to the end, and does not inherit it further.
            tags.remove(tag)
            inheritable_tags.remove(tag)
        tags.append(tag)
    # In the order in which upstream sets them: it is the order of the manager's `__dict__`.
    manager.handlers = unique(handlers)
    manager.inheritable_handlers = unique(handlers)
    manager.parent_run_id = run_manager.run_id
    manager.tags = tags
    manager.inheritable_tags = inheritable_tags
    manager.metadata = merged({}, metadata)
    manager.inheritable_metadata = merged({}, metadata)
    return manager


cdef bint plain(object run_manager) except -1:
    return (
        type(run_manager.inheritable_handlers) is list
        and type(run_manager.inheritable_tags) is list
        and type(run_manager.inheritable_metadata) is dict
    )


def get_child(self, tag=None):
    """A callback manager for the runs below this one.

    Replaces `langchain_core.callbacks.manager.ParentRunManager.get_child`.
    """
    get_child_tally.calls += 1
    if plain(self):
        return child_of(self, CallbackManager, tag)
    get_child_tally.fell_back("handlers, tags or metadata of another type")
    return stock_get_child(self, tag)


def aget_child(self, tag=None):
    """A callback manager for the runs below this one.

    Replaces `langchain_core.callbacks.manager.AsyncParentRunManager.get_child`.
    """
    aget_child_tally.calls += 1
    if plain(self):
        return child_of(self, AsyncCallbackManager, tag)
    aget_child_tally.fell_back("handlers, tags or metadata of another type")
    return stock_aget_child(self, tag)


def on_chain_start(self, serialized, inputs, run_id=None, **kwargs):
    """Tell the handlers that a chain starts; the manager of its run.

    Replaces `langchain_core.callbacks.manager.CallbackManager.on_chain_start`.
    """
    on_chain_start_tally.calls += 1
    if self.handlers:
        return stock_on_chain_start(self, serialized, inputs, run_id=run_id, **kwargs)
    run = ChainRun.__new__(ChainRun)
    run.run_id = _manager.uuid7() if run_id is None else run_id
    run.handlers = self.handlers
    run.inheritable_handlers = self.inheritable_handlers
    run.parent_run_id = self.parent_run_id
    run.tags = self.tags or []
    run.inheritable_tags = self.inheritable_tags or []
    run.metadata = self.metadata or {}
    run.inheritable_metadata = self.inheritable_metadata or {}
    return run


def make_on_chain_start(original, Tally tally not None, str variant):
    global stock_on_chain_start, on_chain_start_tally
    stock_on_chain_start, on_chain_start_tally = original, tally
    return on_chain_start


def make_merge_metadata_dicts(original, Tally tally not None, str variant):
    global merge_tally
    merge_tally = tally
    return _merge_metadata_dicts


def make_add_metadata(original, Tally tally not None, str variant):
    global add_metadata_tally
    add_metadata_tally = tally
    return add_metadata


def make_get_child(original, Tally tally not None, str variant):
    global stock_get_child, get_child_tally
    stock_get_child, get_child_tally = original, tally
    return get_child


def make_aget_child(original, Tally tally not None, str variant):
    global stock_aget_child, aget_child_tally
    stock_aget_child, aget_child_tally = original, tally
    return aget_child
