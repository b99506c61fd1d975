"""`Memory`: the store that a flow shares, behind the one of a node's own path.

Upstream answers an attribute by three Python calls and clones by two deep copies of what is mostly
flat. A clone is made as `Memory[M](...)`, which leaves `__orig_class__` in the shared store: here
too, in the same order.

Domain: exactly `Memory` with stores that are exactly dicts; deep copies are spared where all that
is in a container is of a type whose deep copy is the object itself.
"""

from copy import deepcopy as _deepcopy
from types import BuiltinFunctionType as _BuiltinFunctionType
from types import FunctionType as _FunctionType

from fastgraph.kernels.tally cimport Tally

cdef extern from "Python.h":
    object PyType_GenericAlloc(object kind, Py_ssize_t items)
    object PyObject_GenericGetAttr(object instance, object name)
    int PyObject_GenericSetAttr(object instance, object name, object value) except -1

cdef object deepcopy = _deepcopy
#: Exact types of which `copy.deepcopy` returns the object that it was given.
cdef frozenset ATOMIC = frozenset(
    {
        type(None), bool, int, float, complex, str, bytes, type, range, type(Ellipsis),
        _FunctionType, _BuiltinFunctionType,
    }
)
cdef frozenset RESERVED = frozenset(("global", "local", "_global", "_local", "clone", "create"))
cdef str ORIG_CLASS = "__orig_class__"

cdef object Memory = None
#: What upstream's `Memory[M]` is, which clones say they were made by.
cdef object alias = None
cdef object stock_getattr, stock_getitem, stock_setattr, stock_setitem
cdef object stock_delattr, stock_delitem, stock_contains, stock_clone
cdef Tally getattr_tally, getitem_tally, setattr_tally, setitem_tally
cdef Tally delattr_tally, delitem_tally, contains_tally, clone_tally


cdef int bind_memory(dict upstream) except -1:
    """Take what upstream's module defines."""
    global Memory, alias
    Memory = upstream["Memory"]
    alias = upstream["Memory"][upstream["M"]]
    return 0


cdef bint is_memory(object thing):
    return type(thing) is Memory


cdef inline bint is_atomic(object value):
    return type(value) in ATOMIC


cdef bint is_flat(object container) except -1:
    """Whether a container is exactly a list, dict or set of what deep copies leave alone."""
    kind = type(container)
    if kind is dict:
        for key, value in (<dict>container).items():
            if not (is_atomic(key) and is_atomic(value)):
                return False
        return True
    if kind is list:
        for value in <list>container:
            if not is_atomic(value):
                return False
        return True
    if kind is set:
        for value in <set>container:
            if not is_atomic(value):
                return False
        return True
    return False


cdef object copied(object container):
    """`copy.deepcopy(container)`."""
    if not is_flat(container):
        return deepcopy(container)
    kind = type(container)
    if kind is dict:
        return (<dict>container).copy()
    if kind is list:
        return (<list>container)[:]
    return set(container)


cdef tuple stores_of(object memory):
    """The shared and the local store of exactly a `Memory`."""
    return (
        PyObject_GenericGetAttr(memory, "_global"),
        PyObject_GenericGetAttr(memory, "_local"),
    )


cdef dict cloned_local(object local, object forked):
    """The local store of a clone; upstream's expression where it is not a dict."""
    own = copied(local)
    # Upstream makes an empty dict of what is false, and copies that.
    if forked:
        own.update(copied(forked))
    return own


cdef object new_memory(object shared, object local):
    """`Memory[M](shared, local)`."""
    memory = PyType_GenericAlloc(Memory, 0)
    PyObject_GenericSetAttr(memory, "_global", shared)
    PyObject_GenericSetAttr(memory, "_local", local if local else {})
    if type(shared) is dict and type(local) is dict:
        mark(<dict>shared, <dict>local)
    else:
        try:
            memory.__orig_class__ = alias
        except Exception:  # as typing ignores them
            pass
    return memory


cdef int mark(dict shared, dict local) except -1:
    """Leave in the stores what making a memory of them leaves."""
    if local and ORIG_CLASS in local:
        del local[ORIG_CLASS]
    shared[ORIG_CLASS] = alias
    return 0


cdef object store(object memory, str name):
    """A store that is exactly a dict, None if there is no such one."""
    if type(memory) is not Memory:
        return None
    try:
        held = PyObject_GenericGetAttr(memory, name)
    except AttributeError:  # a half-made one, as `copy` makes it
        return None
    return held if type(held) is dict else None


cdef object found(object memory, object key, object original, object Error):
    """What the local store has under a key, or else the shared one.

    Follows `brainyflow._get_from_stores`.
    """
    local, shared = store(memory, "_local"), store(memory, "_global")
    if local is None or shared is None:
        return original(memory, key)
    if key in <dict>local:
        return (<dict>local)[key]
    if key in <dict>shared:
        return (<dict>shared)[key]
    raise Error(f"Key '{key}' not found in store{'s' if shared else ''}")


def make_getattr(original, Tally tally not None, str variant):
    global stock_getattr, getattr_tally
    bind_memory(original.__globals__)
    stock_getattr, getattr_tally = original, tally

    def __getattr__(self, key):
        """Look a name up in the local store, then in the shared one.

        Replaces `brainyflow.Memory.__getattr__`.
        """
        getattr_tally.calls += 1
        return found(self, key, stock_getattr, AttributeError)

    return __getattr__


def make_getitem(original, Tally tally not None, str variant):
    global stock_getitem, getitem_tally
    bind_memory(original.__globals__)
    stock_getitem, getitem_tally = original, tally

    def __getitem__(self, key):
        """Look a key up in the local store, then in the shared one.

        Replaces `brainyflow.Memory.__getitem__`.
        """
        getitem_tally.calls += 1
        return found(self, key, stock_getitem, KeyError)

    return __getitem__


cdef bint stored(object memory, object key, object value) except -1:
    """Set a key that is not reserved; False outside the domain, with nothing done."""
    if type(key) is not str or key in RESERVED:
        return False
    local, shared = store(memory, "_local"), store(memory, "_global")
    if local is None or shared is None:
        return False
    if key in <dict>local:
        del (<dict>local)[key]
    (<dict>shared)[key] = value
    return True


def make_setattr(original, Tally tally not None, str variant):
    global stock_setattr, setattr_tally
    bind_memory(original.__globals__)
    stock_setattr, setattr_tally = original, tally

    def __setattr__(self, name, value):
        """Set a name in the shared store and drop it from the local one.

        Replaces `brainyflow.Memory.__setattr__`.
        """
        setattr_tally.calls += 1
        if not stored(self, name, value):
            stock_setattr(self, name, value)

    return __setattr__


def make_setitem(original, Tally tally not None, str variant):
    global stock_setitem, setitem_tally
    bind_memory(original.__globals__)
    stock_setitem, setitem_tally = original, tally

    def __setitem__(self, key, value):
        """Set a key in the shared store and drop it from the local one.

        Replaces `brainyflow.Memory.__setitem__`.
        """
        setitem_tally.calls += 1
        if not stored(self, key, value):
            stock_setitem(self, key, value)

    return __setitem__


cdef bint deleted(object memory, object key) except -1:
    """Delete a key from both stores; False outside the domain, with nothing done."""
    if type(key) is not str:
        return False
    local, shared = store(memory, "_local"), store(memory, "_global")
    if local is None or shared is None:
        return False
    in_local, in_shared = key in <dict>local, key in <dict>shared
    if not in_local and not in_shared:
        raise KeyError(key)
    if in_shared:
        del (<dict>shared)[key]
    if key in <dict>local:
        del (<dict>local)[key]
    return True


def make_delattr(original, Tally tally not None, str variant):
    global stock_delattr, delattr_tally
    bind_memory(original.__globals__)
    stock_delattr, delattr_tally = original, tally

    def __delattr__(self, key):
        """Delete a name from both stores.

        Replaces `brainyflow.Memory.__delattr__`.
        """
        delattr_tally.calls += 1
        if not deleted(self, key):
            stock_delattr(self, key)

    return __delattr__


def make_delitem(original, Tally tally not None, str variant):
    global stock_delitem, delitem_tally
    bind_memory(original.__globals__)
    stock_delitem, delitem_tally = original, tally

    def __delitem__(self, key):
        """Delete a key from both stores.

        Replaces `brainyflow.Memory.__delitem__`.
        """
        delitem_tally.calls += 1
        if not deleted(self, key):
            stock_delitem(self, key)

    return __delitem__


def make_contains(original, Tally tally not None, str variant):
    global stock_contains, contains_tally
    bind_memory(original.__globals__)
    stock_contains, contains_tally = original, tally

    def __contains__(self, key):
        """Tell whether one of the stores has a key.

        Replaces `brainyflow.Memory.__contains__`.
        """
        contains_tally.calls += 1
        local, shared = store(self, "_local"), store(self, "_global")
        if local is None or shared is None:
            return stock_contains(self, key)
        return key in <dict>local or key in <dict>shared

    return __contains__


def make_clone(original, Tally tally not None, str variant):
    global stock_clone, clone_tally
    bind_memory(original.__globals__)
    stock_clone, clone_tally = original, tally

    def clone(self, forking_data=None):
        """Clone a memory: the shared store is the same, the local one a deep copy.

        Replaces `brainyflow.Memory.clone`.
        """
        clone_tally.calls += 1
        local = store(self, "_local")
        if local is None:
            return stock_clone(self, forking_data)
        shared = PyObject_GenericGetAttr(self, "_global")
        return new_memory(shared, cloned_local(local, forking_data))

    return clone
