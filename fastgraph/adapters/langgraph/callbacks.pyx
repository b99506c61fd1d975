"""Callback managers: the copies of tags and metadata that each runnable and each of its steps gets.

Upstream makes them for every node, writer and branch, with handlers or without, and asks for each
of them four times whether something is a `Mapping`. A manager that nobody can see is not made, and
neither is a run manager that has nobody to tell.

Domain: exactly LangChain's own managers, with upstream's methods or their replacements here;
subclasses and handlers are used through their own methods.
"""

import uuid
from collections.abc import Mapping as _Mapping
from types import FunctionType

from langchain_core.callbacks import base as _base
from langchain_core.callbacks import manager as _manager
from langchain_core.callbacks.manager import AsyncCallbackManager as _AsyncCallbackManager
from langchain_core.callbacks.manager import CallbackManager as _CallbackManager
from langchain_core.utils import uuid as _core_uuid
from langgraph._internal import _runnable
from uuid_utils import compat as _uuid_compat

from fastgraph.kernels.slots cimport Slot
from fastgraph.kernels.tally cimport Tally

from cpython.object cimport PyObject, PyTypeObject

cdef extern from *:
    """
    #include <Python.h>

    /* `object.__new__(cls)`, without looking it up. */
    static PyObject *fastgraph_new(PyObject *cls, PyObject *nothing)
    {
        return PyBaseObject_Type.tp_new((PyTypeObject *)cls, nothing, NULL);
    }
    """
    PyObject* _PyType_Lookup(PyTypeObject* cls, object name)
    object fastgraph_new(object cls, tuple nothing)

cdef object Mapping = _Mapping
cdef object CallbackManager = _CallbackManager
cdef object AsyncCallbackManager = _AsyncCallbackManager
cdef object ChainRun = _manager.CallbackManagerForChainRun
cdef object AsyncChainRun = _manager.AsyncCallbackManagerForChainRun
cdef object UUID = uuid.UUID
cdef str VERSIONS = "lc_versions"

cdef object stock_get_child
cdef object stock_aget_child
cdef object stock_on_chain_start
cdef object stock_manager_for_config
cdef object stock_amanager_for_config
cdef Tally merge_tally
cdef Tally add_metadata_tally
cdef Tally get_child_tally
cdef Tally aget_child_tally
cdef Tally on_chain_start_tally
cdef Tally manager_tally
cdef Tally amanager_tally


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


cdef object new(object cls):
    """An instance of a plain class, not initialized."""
    return fastgraph_new(cls, ())


cdef dict copied(object metadata):
    """`merged({}, metadata)`."""
    if type(metadata) is dict and VERSIONS not in <dict>metadata:
        return (<dict>metadata).copy()
    return merged({}, metadata)


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


cdef object child_of(object source, object run_id, object cls, object tag):
    """A manager for the runs below the run `run_id`, with what is inherited from `source`.

    That is the manager of the run, or the one that started it: what they pass on is the same.
    """
    cdef list tags, inheritable_tags
    manager = new(cls)
    handlers = source.inheritable_handlers
    tags = list(source.inheritable_tags)
    inheritable_tags = tags.copy()
    metadata = source.inheritable_metadata
    if tag is not None:
        if tag in tags:
            # Upstream moves a tag that was inherited to the end, and does not inherit it further.
            tags.remove(tag)
            inheritable_tags.remove(tag)
        tags.append(tag)
    # In the order in which upstream sets them: it is the order of the manager's `__dict__`.
    manager.handlers = unique(handlers)
    manager.inheritable_handlers = unique(handlers)
    manager.parent_run_id = run_id
    manager.tags = tags
    manager.inheritable_tags = inheritable_tags
    manager.metadata = copied(metadata)
    manager.inheritable_metadata = copied(metadata)
    return manager


cdef object grandchild_of(object source, object run_id, object cls, object metadata):
    """A manager for the runs below `run_id`, the run of a step of the run that `source` started.

    The step's own manager is left out: what it passes on is what it inherited and its `metadata`.
    """
    manager = new(cls)
    inherited = merged(source.inheritable_metadata, metadata) if metadata else (
        source.inheritable_metadata
    )
    manager.handlers = []
    manager.inheritable_handlers = []
    manager.parent_run_id = run_id
    manager.tags = list(source.inheritable_tags)
    manager.inheritable_tags = list(source.inheritable_tags)
    manager.metadata = copied(inherited)
    manager.inheritable_metadata = copied(inherited)
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
        return child_of(self, self.run_id, CallbackManager, tag)
    get_child_tally.fell_back("handlers, tags or metadata of another type")
    return stock_get_child(self, tag)


def aget_child(self, tag=None):
    """A callback manager for the runs below this one.

    Replaces `langchain_core.callbacks.manager.AsyncParentRunManager.get_child`.
    """
    aget_child_tally.calls += 1
    if plain(self):
        return child_of(self, self.run_id, AsyncCallbackManager, tag)
    aget_child_tally.fell_back("handlers, tags or metadata of another type")
    return stock_aget_child(self, tag)


cdef object run_of(object manager, object cls, object run_id):
    """The manager of a run that `manager` started."""
    run = new(cls)
    run.run_id = run_id
    run.handlers = manager.handlers
    run.inheritable_handlers = manager.inheritable_handlers
    run.parent_run_id = manager.parent_run_id
    run.tags = manager.tags or []
    run.inheritable_tags = manager.inheritable_tags or []
    run.metadata = manager.metadata or {}
    run.inheritable_metadata = manager.inheritable_metadata or {}
    return run


def on_chain_start(self, serialized, inputs, run_id=None, **kwargs):
    """Tell the handlers that a chain starts; the manager of its run.

    Replaces `langchain_core.callbacks.manager.CallbackManager.on_chain_start`.
    """
    on_chain_start_tally.calls += 1
    if not is_stock(ChainRun, "__init__", run_init):
        on_chain_start_tally.fell_back("somebody else's constructor of run managers")
        return stock_on_chain_start(self, serialized, inputs, run_id=run_id, **kwargs)
    if run_id is None:
        run_id = new_run_id()
    if self.handlers:
        _manager.handle_event(
            self.handlers,
            "on_chain_start",
            "ignore_chain",
            serialized,
            inputs,
            run_id=run_id,
            parent_run_id=self.parent_run_id,
            tags=self.tags,
            metadata=self.metadata,
            **kwargs,
        )
    return run_of(self, ChainRun, run_id)


# What is upstream's own

cdef object own_function(object module, object function):
    """`function` if it is a plain function that `module` defines; else something no name holds."""
    if type(function) is FunctionType and function.__globals__ is module.__dict__:
        return function
    return object()


cdef object manager_init = own_function(_base, _CallbackManager.__init__)
cdef object run_init = own_function(_manager, ChainRun.__init__)
cdef object run_end = own_function(_manager, ChainRun.on_chain_end)
cdef object run_error = own_function(_manager, ChainRun.on_chain_error)
cdef object async_start = own_function(_manager, _AsyncCallbackManager.on_chain_start)
cdef object async_run_end = own_function(_manager, AsyncChainRun.on_chain_end)
cdef object async_run_error = own_function(_manager, AsyncChainRun.on_chain_error)
cdef dict runnable_names = _runnable.__dict__


cdef bint is_stock(object cls, str name, object function) noexcept:
    """Whether the method `name` of `cls` is `function`."""
    return _PyType_Lookup(<PyTypeObject*>cls, name) == <PyObject*>function


cdef bint has_stock_init(object cls) noexcept:
    """Whether instances of a class of managers are made by upstream's own constructor."""
    return is_stock(cls, "__init__", manager_init)


cdef object own_add_metadata():
    """What stands in for `add_metadata`."""
    return add_metadata


cdef bint is_quiet(object manager) except -1:
    """Whether a chain that `manager` starts has nobody to tell and no method to call by name."""
    return (
        type(manager) is CallbackManager
        and not manager.handlers
        and not manager.inheritable_handlers
        and plain(manager)
        and is_stock(CallbackManager, "on_chain_start", on_chain_start)
        and is_stock(CallbackManager, "add_metadata", add_metadata)
        and is_stock(CallbackManager, "__init__", manager_init)
        and is_stock(ChainRun, "__init__", run_init)
        and is_stock(ChainRun, "get_child", get_child)
        and is_stock(ChainRun, "on_chain_end", run_end)
        and is_stock(ChainRun, "on_chain_error", run_error)
    )


cdef bint asks_stock() noexcept:
    """Whether async managers and the managers of their runs have upstream's methods, or ours."""
    return (
        is_stock(AsyncCallbackManager, "on_chain_start", async_start)
        and is_stock(AsyncCallbackManager, "add_metadata", add_metadata)
        and is_stock(AsyncCallbackManager, "__init__", manager_init)
        and is_stock(AsyncChainRun, "__init__", run_init)
        and is_stock(AsyncChainRun, "get_child", aget_child)
        and is_stock(AsyncChainRun, "on_chain_end", async_run_end)
        and is_stock(AsyncChainRun, "on_chain_error", async_run_error)
    )


cdef bint is_aquiet(object manager) except -1:
    """The same of an async manager."""
    return (
        type(manager) is AsyncCallbackManager
        and not manager.handlers
        and not manager.inheritable_handlers
        and plain(manager)
        and asks_stock()
    )


# Ids of runs

cdef object made_by_names(object function, tuple names):
    """`function` if it does no more than call `names`; else something no name holds."""
    if type(function) is FunctionType and function.__code__.co_names == names:
        return function
    return object()


cdef object core_uuid7 = own_function(_core_uuid, _manager.uuid7)
cdef object compat_uuid7 = made_by_names(_uuid_compat.uuid7, ("_from_int", "_uuid7_int"))
cdef object uuid7_int = getattr(_uuid_compat, "_uuid7_int", None)
cdef object from_int = made_by_names(
    getattr(_uuid_compat, "_from_int", None),
    ("object", "__new__", "UUID", "__setattr__", "SafeUUID", "unknown"),
)
cdef object unknown_safety = uuid.SafeUUID.unknown
cdef Slot uuid_number = Slot(UUID, "int")
cdef Slot uuid_safety = Slot(UUID, "is_safe")
cdef dict manager_names = _manager.__dict__
cdef dict core_uuid_names = _core_uuid.__dict__
cdef dict compat_names = _uuid_compat.__dict__


cdef object new_run_id():
    """`uuid7()`, from upstream's own source of numbers, unless one of the names was replaced."""
    if (
        manager_names.get("uuid7") is not core_uuid7
        or core_uuid_names.get("_uuid_utils_uuid7") is not compat_uuid7
        or compat_names.get("_uuid7_int") is not uuid7_int
        or compat_names.get("_from_int") is not from_int
    ):
        return _manager.uuid7()
    number = uuid7_int(None, None)
    made = new(UUID)
    uuid_number.set(made, number)
    uuid_safety.set(made, unknown_safety)
    return made


# Handlers that joined while the run was on

cdef bint tells(object manager) except -1:
    return bool(manager.handlers)


cdef object late_run(object manager, object run_id):
    """The manager of a run that had nobody to tell when it started."""
    cls = AsyncChainRun if type(manager) is AsyncCallbackManager else ChainRun
    return run_of(manager, cls, run_id)


cdef int end_late(object manager, object run_id, object value) except -1:
    if manager.handlers:
        late_run(manager, run_id).on_chain_end(value)
    return 0


cdef int fail_late(object manager, object run_id, object error) except -1:
    if manager.handlers:
        late_run(manager, run_id).on_chain_error(error)
    return 0


# The manager of a config

cdef object with_config(object manager, object config, object tags):
    """`manager` with the tags and the metadata of the config added to it."""
    all_tags = config.get("tags")
    if all_tags is not None and tags is not None:
        all_tags = [*all_tags, *tags]
    elif tags is not None:
        all_tags = list(tags)
    if all_tags:
        manager.add_tags(all_tags)
    metadata = config.get("metadata")
    if metadata:
        if type(metadata) is dict and is_stock(type(manager), "add_metadata", add_metadata):
            manager.metadata = merged(manager.metadata, metadata)
            manager.inheritable_metadata = merged(manager.inheritable_metadata, metadata)
        else:
            manager.add_metadata(metadata)
    return manager


cdef object ready_manager(object config, object tags, object cls):
    """`get_callback_manager_for_config(config, tags)`, or its async twin, by the class wanted."""
    if cls is CallbackManager:
        if (
            type(config) is dict
            and runnable_names.get("get_callback_manager_for_config") is manager_for_config
        ):
            manager = (<dict>config).get("callbacks")
            if type(manager) is cls:
                return with_config(manager, config, tags)
        if tags is None:
            return _runnable.get_callback_manager_for_config(config)
        return _runnable.get_callback_manager_for_config(config, tags)
    if (
        type(config) is dict
        and runnable_names.get("get_async_callback_manager_for_config") is amanager_for_config
    ):
        manager = (<dict>config).get("callbacks")
        if type(manager) is cls:
            return with_config(manager, config, tags)
    if tags is None:
        return _runnable.get_async_callback_manager_for_config(config)
    return _runnable.get_async_callback_manager_for_config(config, tags)


def get_callback_manager_for_config(config, tags=None):
    """The callback manager of a config, with the tags and the metadata of the config.

    Replaces `langgraph._internal._config.get_callback_manager_for_config`.
    """
    manager_tally.calls += 1
    if type(config) is dict:
        manager = (<dict>config).get("callbacks")
        if type(manager) is CallbackManager:
            return with_config(manager, config, tags)
    manager_tally.fell_back("a config without a manager, or with one of another type")
    return stock_manager_for_config(config, tags)


def get_async_callback_manager_for_config(config, tags=None):
    """The async callback manager of a config, with the tags and the metadata of the config.

    Replaces `langgraph._internal._config.get_async_callback_manager_for_config`.
    """
    amanager_tally.calls += 1
    if type(config) is dict:
        manager = (<dict>config).get("callbacks")
        if type(manager) is AsyncCallbackManager:
            return with_config(manager, config, tags)
    amanager_tally.fell_back("a config without a manager, or with one of another type")
    return stock_amanager_for_config(config, tags)


cdef object manager_for_config = get_callback_manager_for_config
cdef object amanager_for_config = get_async_callback_manager_for_config


def make_manager_for_config(original, Tally tally not None, str variant):
    global stock_manager_for_config, manager_tally
    stock_manager_for_config, manager_tally = original, tally
    return get_callback_manager_for_config


def make_amanager_for_config(original, Tally tally not None, str variant):
    global stock_amanager_for_config, amanager_tally
    stock_amanager_for_config, amanager_tally = original, tally
    return get_async_callback_manager_for_config


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
