"""LangChain's callback managers as they are set up for each chat model, tool and runnable called.

Domain: exactly LangChain's own managers, outside any trace of LangSmith's, without debugging, with
no handler that a context variable or an environment variable adds.
"""

import os

from langchain_core.callbacks import manager as _manager
from langchain_core.callbacks.manager import AsyncCallbackManager as _AsyncCallbackManager
from langchain_core.callbacks.manager import CallbackManager as _CallbackManager
from langchain_core.runnables import config as _config
from langchain_core.tracers import context as _context
from langchain_core.tracers.langchain import LangChainTracer as _LangChainTracer
from langchain_core.utils.env import env_var_is_set as _env_var_is_set
from langsmith import run_helpers as _run_helpers
from langsmith import utils as _langsmith_utils

from fastgraph.adapters.langgraph.callbacks cimport (
    has_stock_init,
    is_stock,
    merged,
    new,
    own_add_metadata,
    plain,
)
from fastgraph.kernels.tally cimport Tally

cdef object CallbackManager = _CallbackManager
cdef object AsyncCallbackManager = _AsyncCallbackManager
cdef object LangChainTracer = _LangChainTracer
cdef object tracer_var = _context.tracing_v2_callback_var
cdef object env_var_is_set = _env_var_is_set
#: The key of which merging makes a copy, even with nothing.
cdef str VERSIONS = "lc_versions"
cdef object Environ = os._Environ
cdef object core_tracing = _context._tracing_v2_is_enabled
cdef dict context_names = _context.__dict__
cdef dict manager_names = _manager.__dict__
cdef dict config_names = _config.__dict__
cdef object sync_configure = _CallbackManager.__dict__.get("configure")
cdef object async_configure = _AsyncCallbackManager.__dict__.get("configure")

cdef object stock_configure
cdef object stock_manager_for
cdef object stock_amanager_for
cdef Tally configure_tally
cdef Tally manager_tally
cdef Tally amanager_tally


# Who else might be listening

cdef class Variable:
    """An environment variable, by the key under which the environment keeps it."""

    cdef str name
    cdef object key

    def __cinit__(self, str name not None):
        self.name = name
        self.key = os.environ.encodekey(name)

    cdef bint is_set(self) except -1:
        """`env_var_is_set(name)`."""
        environ = os.environ
        if type(environ) is Environ and self.key not in environ._data:
            return False
        return env_var_is_set(self.name)


cdef Variable LANGCHAIN_TRACING = Variable("LANGCHAIN_TRACING")
cdef Variable LANGCHAIN_HANDLER = Variable("LANGCHAIN_HANDLER")


cdef bint is_hooked() except -1:
    """Whether a context variable or an environment variable adds a handler."""
    for var, _, handler_class, name in context_names["_configure_hooks"]:
        if var.get() is not None:
            return True
        if name is not None and handler_class is not None and env_var_is_set(name):
            return True
    return False


cdef bint is_traced() except -1:
    """Whether LangSmith traces, or would have something added to the handlers' metadata or tags."""
    if tracer_var.get() is not None or context_names["_tracing_v2_is_enabled"] is not core_tracing:
        return True
    context = _run_helpers.get_tracing_context()
    return (
        context["parent"] is not None
        or bool(context["tags"])
        or bool(context["metadata"])
        or bool(_langsmith_utils.tracing_is_enabled(context))
    )


cdef bint is_left_alone() except -1:
    """Whether the handlers are those that are handed over."""
    return not (
        manager_names["_get_debug"]()
        or LANGCHAIN_TRACING.is_set()
        or LANGCHAIN_HANDLER.is_set()
        or is_traced()
        or is_hooked()
    )


cdef bint has_tracer(object callbacks) except -1:
    """Whether LangSmith's tracer, which takes metadata of its own, is among the handlers."""
    if callbacks is None:
        return False
    if type(callbacks) is list:
        for handler in callbacks:
            if isinstance(handler, LangChainTracer):
                return True
        return False
    for handler in callbacks.handlers:
        if isinstance(handler, LangChainTracer):
            return True
    for handler in callbacks.inheritable_handlers:
        if isinstance(handler, LangChainTracer):
            return True
    return False


# A manager

cdef bint are_known(object callbacks) except -1:
    """Whether callbacks are none, a plain list or exactly a manager of LangChain's."""
    kind = type(callbacks)
    return (
        callbacks is None
        or kind is list
        or ((kind is CallbackManager or kind is AsyncCallbackManager) and plain(callbacks))
    )


cdef object manager_from(object cls, object callbacks):
    """A manager with a copy of what a config's callbacks are."""
    made = new(cls)
    # In the order in which upstream's constructor sets them.
    if callbacks is None or type(callbacks) is list:
        made.handlers = [] if callbacks is None else (<list>callbacks)[:]
        made.inheritable_handlers = [] if callbacks is None else (<list>callbacks)[:]
        made.parent_run_id = None
        made.tags = []
        made.inheritable_tags = []
        made.metadata = {}
        made.inheritable_metadata = {}
        return made
    made.handlers = callbacks.handlers.copy()
    made.inheritable_handlers = callbacks.inheritable_handlers.copy()
    made.parent_run_id = callbacks.parent_run_id
    made.tags = callbacks.tags.copy() or []
    made.inheritable_tags = callbacks.inheritable_tags.copy()
    made.metadata = callbacks.metadata.copy() or {}
    made.inheritable_metadata = callbacks.inheritable_metadata.copy()
    return made


cdef int add_local(object manager, object callbacks) except -1:
    """Add handlers that the runs below do not inherit."""
    cdef list handlers = manager.handlers
    for handler in callbacks if type(callbacks) is list else callbacks.handlers:
        if handler not in handlers:
            handlers.append(handler)
    return 0


cdef int add_metadata(object manager, object inherited, object local) except -1:
    if not is_stock(type(manager), "add_metadata", own_add_metadata()):
        manager.add_metadata(inherited or {})
        manager.add_metadata(local or {}, inherit=False)
        return 0
    if inherited or VERSIONS in manager.inheritable_metadata or VERSIONS in manager.metadata:
        manager.metadata = merged(manager.metadata, inherited or {})
        manager.inheritable_metadata = merged(manager.inheritable_metadata, inherited or {})
    if local or VERSIONS in manager.metadata:
        manager.metadata = merged(manager.metadata, local or {})
    return 0


cdef object configured(
    object cls, object inherited, object local, object tags, object local_tags,
    object metadata, object local_metadata,
):
    """`_configure` with nobody else listening."""
    manager = manager_from(cls, inherited or None)
    if local:
        add_local(manager, local)
    if tags or local_tags:
        manager.add_tags(tags or [])
        manager.add_tags(local_tags or [], inherit=False)
    if metadata or local_metadata:
        add_metadata(manager, metadata, local_metadata)
    return manager


cdef str outside(object cls, object inherited, object local):
    """Why upstream has to run; None inside the domain."""
    if (cls is not CallbackManager and cls is not AsyncCallbackManager) or not has_stock_init(cls):
        return "somebody else's manager"
    if not are_known(inherited) or not are_known(local):
        return "callbacks of another kind"
    if not is_left_alone():
        return "tracing, debugging, or handlers from the context"
    return None


cdef bint has_handlers(object callbacks) except -1:
    if callbacks is None or type(callbacks) is list:
        return bool(callbacks)
    return bool(callbacks.handlers) or bool(callbacks.inheritable_handlers)


cdef bint is_unheard(object callbacks, object local) except -1:
    """Whether a run below these callbacks, and those of the object that runs, has no handlers."""
    return (
        CallbackManager.__dict__.get("configure") is sync_configure
        and manager_names["_configure"] is own_configure
        and are_known(callbacks)
        and are_known(local)
        and not has_handlers(callbacks)
        and not has_handlers(local)
        and has_stock_init(CallbackManager)
        and is_left_alone()
    )


def _configure(
    callback_manager_cls,
    inheritable_callbacks=None,
    local_callbacks=None,
    inheritable_tags=None,
    local_tags=None,
    inheritable_metadata=None,
    local_metadata=None,
    *,
    verbose=False,
    langsmith_inheritable_metadata=None,
    langsmith_inheritable_tags=None,
):
    """A callback manager for a run, from what its config and the object itself have.

    Replaces `langchain_core.callbacks.manager._configure`.
    """
    configure_tally.calls += 1
    if verbose:
        reason = "verbose"
    else:
        reason = outside(callback_manager_cls, inheritable_callbacks, local_callbacks)
        if (
            reason is None
            and (langsmith_inheritable_metadata or langsmith_inheritable_tags)
            and (has_tracer(inheritable_callbacks) or has_tracer(local_callbacks))
        ):
            reason = "LangSmith's tracer"
    if reason is not None:
        configure_tally.fell_back(reason)
        return stock_configure(
            callback_manager_cls,
            inheritable_callbacks,
            local_callbacks,
            inheritable_tags,
            local_tags,
            inheritable_metadata,
            local_metadata,
            verbose=verbose,
            langsmith_inheritable_metadata=langsmith_inheritable_metadata,
            langsmith_inheritable_tags=langsmith_inheritable_tags,
        )
    return configured(
        callback_manager_cls,
        inheritable_callbacks,
        local_callbacks,
        inheritable_tags,
        local_tags,
        inheritable_metadata,
        local_metadata,
    )


def make_configure(original, Tally tally not None, str variant):
    global stock_configure, configure_tally
    stock_configure, configure_tally = original, tally
    return _configure


cdef object own_configure = _configure


cdef object manager_for(object cls, object configure, object config):
    """The manager of a config; None outside the domain."""
    if (
        type(config) is not dict
        or cls.__dict__.get("configure") is not configure
        or manager_names["_configure"] is not own_configure
    ):
        return None
    # What LangSmith's tracer alone is told; upstream looks at the keys for it.
    configurable = (<dict>config).get("configurable")
    if configurable:
        if type(configurable) is not dict:
            return None
        if (<dict>config).get("metadata") is None:
            return None
        for key in <dict>configurable:
            if type(key) is not str:
                return None
    callbacks = (<dict>config).get("callbacks")
    if outside(cls, callbacks, None) is not None or has_tracer(callbacks):
        return None
    configure_tally.calls += 1
    return configured(
        cls,
        callbacks,
        None,
        (<dict>config).get("tags"),
        None,
        (<dict>config).get("metadata"),
        None,
    )


def get_callback_manager_for_config(config):
    """The callback manager of a config.

    Replaces `langchain_core.runnables.config.get_callback_manager_for_config`.
    """
    manager_tally.calls += 1
    manager = manager_for(CallbackManager, sync_configure, config)
    if manager is None:
        manager_tally.fell_back("no plain config, or somebody else listening")
        return stock_manager_for(config)
    return manager


def make_manager_for_config(original, Tally tally not None, str variant):
    global stock_manager_for, manager_tally
    stock_manager_for, manager_tally = original, tally
    return get_callback_manager_for_config


def get_async_callback_manager_for_config(config):
    """The async callback manager of a config.

    Replaces `langchain_core.runnables.config.get_async_callback_manager_for_config`.
    """
    amanager_tally.calls += 1
    manager = manager_for(AsyncCallbackManager, async_configure, config)
    if manager is None:
        amanager_tally.fell_back("no plain config, or somebody else listening")
        return stock_amanager_for(config)
    return manager


def make_amanager_for_config(original, Tally tally not None, str variant):
    global stock_amanager_for, amanager_tally
    stock_amanager_for, amanager_tally = original, tally
    return get_async_callback_manager_for_config
