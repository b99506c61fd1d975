"""LangChain's own configs: completed and copied for each chat model, tool and runnable called.

Domain: configs in plain dicts, with metadata and configurable values in plain dicts.
"""

from langchain_core.callbacks import base as _base
from langchain_core.callbacks.manager import AsyncCallbackManager as _AsyncCallbackManager
from langchain_core.callbacks.manager import CallbackManager as _CallbackManager
from langchain_core.runnables import config as _config

from fastgraph.adapters.langgraph.callbacks cimport (
    has_stock_init,
    is_stock,
    new,
    own_function,
    plain,
)
from fastgraph.kernels.tally cimport Tally

cdef object CallbackManager = _CallbackManager
cdef object AsyncCallbackManager = _AsyncCallbackManager
cdef object manager_copy = own_function(_base, _CallbackManager.copy)
cdef object child_config = _config.var_child_runnable_config
cdef dict config_names = _config.__dict__
cdef list CONFIG_KEYS = _config.CONFIG_KEYS.copy()
cdef list COPIABLE_KEYS = _config.COPIABLE_KEYS.copy()
cdef frozenset known_keys = frozenset(CONFIG_KEYS)
cdef frozenset copiable_keys = frozenset(COPIABLE_KEYS)

cdef object stock_ensure
cdef Tally ensure_tally
cdef Tally patch_tally


cdef object copied_manager(object manager):
    """`manager.copy()`."""
    cls = type(manager)
    if (
        (cls is not CallbackManager and cls is not AsyncCallbackManager)
        or not has_stock_init(cls)
        or not is_stock(cls, "copy", manager_copy)
    ):
        return manager.copy()
    made = new(cls)
    # In the order in which upstream's constructor sets them.
    made.handlers = manager.handlers.copy()
    made.inheritable_handlers = manager.inheritable_handlers.copy() or []
    made.parent_run_id = manager.parent_run_id
    made.tags = manager.tags.copy() or []
    made.inheritable_tags = manager.inheritable_tags.copy() or []
    made.metadata = manager.metadata.copy() or {}
    made.inheritable_metadata = manager.inheritable_metadata.copy() or {}
    return made


cdef object copied(object value):
    """`value.copy()`."""
    if type(value) is dict:
        return (<dict>value).copy()
    if type(value) is list:
        return (<list>value)[:]
    return copied_manager(value)


cdef bint is_plain(object config) except -1:
    """Whether a config is a plain dict, of plain dicts where upstream looks into them."""
    if type(config) is not dict:
        return False
    for key in ("metadata", "configurable"):
        value = (<dict>config).get(key)
        if value is not None and type(value) is not dict:
            return False
    return True


cdef bint copies_silently(object callbacks) except -1:
    """Whether a copy of the callbacks that nobody gets need not be made."""
    kind = type(callbacks)
    return kind is list or (
        (kind is CallbackManager or kind is AsyncCallbackManager)
        and has_stock_init(kind)
        and is_stock(kind, "copy", manager_copy)
        and plain(callbacks)
    )


cdef int take(dict into, dict config, bint known_alone, bint has_callbacks) except -1:
    """Take over what a config has, copied one level deep; no callbacks if there are others."""
    cdef bint has_more = False
    for key, value in config.items():
        if value is None:
            continue
        if known_alone and key not in known_keys:
            has_more = True
        elif has_callbacks and key == "callbacks" and copies_silently(value):
            continue
        elif key in copiable_keys:
            into[key] = copied(value)
        else:
            into[key] = value
    if has_more:
        configurable = into["configurable"]
        for key, value in config.items():
            if value is not None and key not in known_keys:
                (<dict>configurable)[key] = value
    return 0


cdef dict ensured(object config, object callbacks):
    """`ensure_config(config)`, with other callbacks if given; None outside the domain."""
    cdef dict complete, configurable, metadata
    if config is not None and not is_plain(config):
        return None
    if config_names["CONFIG_KEYS"] != CONFIG_KEYS or config_names["COPIABLE_KEYS"] != COPIABLE_KEYS:
        return None
    outer = child_config.get()
    if outer and not is_plain(outer):
        return None
    complete = {
        "tags": [],
        "metadata": {},
        "callbacks": callbacks,
        "recursion_limit": config_names["DEFAULT_RECURSION_LIMIT"],
        "configurable": {},
    }
    if outer:
        take(complete, <dict>outer, False, callbacks is not None)
    if config is not None:
        take(complete, <dict>config, True, callbacks is not None)
    configurable = complete["configurable"]
    metadata = complete["metadata"]
    for key in ("model", "checkpoint_ns"):
        value = configurable.get(key)
        if isinstance(value, str) and key not in metadata:
            metadata[key] = value
    return complete


def ensure_config(config=None):
    """A complete config, with what the run around it hands down.

    Replaces `langchain_core.runnables.config.ensure_config`.
    """
    ensure_tally.calls += 1
    complete = ensured(config, None)
    if complete is None:
        ensure_tally.fell_back("no plain config")
        return stock_ensure(config)
    return complete


def make_ensure_config(original, Tally tally not None, str variant):
    global stock_ensure, ensure_tally
    stock_ensure, ensure_tally = original, tally
    return ensure_config


cdef object own_ensure_config = ensure_config


cdef dict complete_config(object config, object callbacks):
    """`ensure_config(config)`, whoever does it; its callbacks are to be replaced by those given."""
    cdef dict complete
    ensure = config_names["ensure_config"]
    if ensure is own_ensure_config:
        ensure_tally.calls += 1
        complete = ensured(config, callbacks)
        if complete is not None:
            return complete
        ensure_tally.fell_back("no plain config")
        return stock_ensure(config)
    return ensure(config)


cdef dict with_callbacks(object config, object callbacks):
    """`patch_config(config, callbacks=callbacks)`."""
    cdef dict patched = complete_config(config, callbacks)
    if callbacks is not None:
        # The name and id of the run were for the callbacks that are replaced.
        patched["callbacks"] = callbacks
        if "run_name" in patched:
            del patched["run_name"]
        if "run_id" in patched:
            del patched["run_id"]
    return patched


def patch_config(
    config,
    *,
    callbacks=None,
    recursion_limit=None,
    max_concurrency=None,
    run_name=None,
    configurable=None,
):
    """A complete config with some values replaced.

    Replaces `langchain_core.runnables.config.patch_config`.
    """
    cdef dict patched
    patch_tally.calls += 1
    patched = with_callbacks(config, callbacks)
    if recursion_limit is not None:
        patched["recursion_limit"] = recursion_limit
    if max_concurrency is not None:
        patched["max_concurrency"] = max_concurrency
    if run_name is not None:
        patched["run_name"] = run_name
    if configurable is not None:
        patched["configurable"] = {**patched.get("configurable", {}), **configurable}
    return patched


def make_patch_config(original, Tally tally not None, str variant):
    global patch_tally
    patch_tally = tally
    return patch_config
