"""What is known of a class of nodes: which of upstream's methods it has, and what it can see.

Found out once per class and kept as long as nothing changes that it was found from. That is told
by the versions of the dicts of the class and its bases, not by the version tag of the type: each
node that is made counts up an attribute of `BaseNode`, which takes a tag from it and from the class
of the node, and a class gets only a thousand of them. Where a dict has changed its entries are
compared, so that a class that counts in one of its attributes stays known.
"""

from types import GetSetDescriptorType as _GetSetDescriptor

from fastgraph.adapters.brainyflow.own_view import LooksAroundError, is_async
from fastgraph.adapters.brainyflow.own_view import relied_on as _relied_on

cimport cython
from cpython.object cimport PyObject

cdef extern from *:
    """
    #if defined(__GNUC__)
    #pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    #endif

    /* Changes with whatever is set in a dict. 0: it cannot be told. */
    static inline unsigned long long fastgraph_dict_version(PyObject *dict)
    {
    #if PY_VERSION_HEX < 0x030E0000
        return ((PyDictObject *)dict)->ma_version_tag;
    #else
        return 0;
    #endif
    }

    /* The dict of a class that is not one of C's. */
    static inline PyObject *fastgraph_class_dict(PyObject *type)
    {
        return Py_NewRef(((PyTypeObject *)type)->tp_dict);
    }

    static inline PyObject *fastgraph_mro(PyObject *type)
    {
        return ((PyTypeObject *)type)->tp_mro;
    }

    static inline int fastgraph_is_of_c(PyObject *type)
    {
        return !PyType_HasFeature((PyTypeObject *)type, Py_TPFLAGS_HEAPTYPE);
    }
    """
    unsigned long long dict_version "fastgraph_dict_version"(PyObject *entries)
    dict class_dict "fastgraph_class_dict"(object node_class)
    PyObject *mro_of "fastgraph_mro"(object node_class)
    bint is_of_c "fastgraph_is_of_c"(object node_class)

cdef extern from "Python.h":
    PyObject *_PyType_Lookup(object node_class, object name)

cdef object GetSetDescriptor = _GetSetDescriptor
cdef dict upstream_classes = {}
#: Class and name -> upstream's function of that name, and what stands in for it.
cdef dict upstream_methods = {}
cdef dict known = {}
cdef object UNSET = object()

#: Layerings of a flow: none of upstream's, one node after the other, gathered.
cdef int OTHER = 0, SEQUENTIAL = 1, GATHERED = 2

cdef tuple LIFE = ("prep", "exec", "post", "exec_fallback")
cdef tuple MACHINERY = (
    "run", "exec_runner", "list_triggers", "trigger", "get_next_nodes", "clone",
)
cdef tuple FLOW_MACHINERY = ("run_node", "run_nodes", "run_tasks", "_process_trigger")
#: What a class may not do by itself to be copied attribute by attribute unnoticed.
cdef tuple GENERIC = (
    "__new__", "__setattr__", "__getattribute__", "__delattr__", "__hash__", "__eq__",
)
cdef tuple ABSENT = ("__getattr__", "__del__", "__bool__", "__len__")


cdef int bind_classes(dict upstream) except -1:
    """Take upstream's classes and the methods that they have before any is replaced."""
    for name in ("BaseNode", "Node", "Flow", "ParallelFlow"):
        cls = upstream[name]
        if upstream_classes.get(name) is not cls:
            upstream_classes[name] = cls
            known.clear()
        for method in (*LIFE, *MACHINERY, *FLOW_MACHINERY):
            if method in cls.__dict__:
                held = upstream_methods.setdefault((cls, method), [])
                if cls.__dict__[method] not in held:
                    held.append(cls.__dict__[method])
    return 0


def stands_in(cls, str method, replacement):
    """Take a replacement for upstream's method that it replaces."""
    held = upstream_methods.setdefault((cls, method), [])
    if replacement not in held:
        held.append(replacement)
    return replacement


cdef object looked_up(cls, str name):
    """What a class or one of its bases holds under a name, None if nothing."""
    cdef PyObject *held = _PyType_Lookup(cls, name)
    return None if held is NULL else <object>held


cdef bint binds(object held) except -1:
    """Whether an attribute of a class is more than the object that it holds."""
    kind = type(held)
    return hasattr(kind, "__get__") or hasattr(kind, "__set__") or hasattr(kind, "__delete__")


cdef bint is_upstreams(cls, str name, str owner) except -1:
    """Whether a class has one of upstream's methods."""
    return looked_up(cls, name) in upstream_methods.get((upstream_classes[owner], name), ())


cdef bint has_generic_attributes(cls) except -1:
    """Whether attributes of instances are what is in their dicts, without anybody's doing."""
    for name in GENERIC:
        if looked_up(cls, name) is not object.__dict__[name]:
            return False
    for name in ABSENT:
        if looked_up(cls, name) is not None:
            return False
    for base in cls.__mro__:
        if base is object:
            continue
        for name, held in vars(base).items():
            if name in ("__dict__", "__weakref__") and type(held) is GetSetDescriptor:
                continue
            if hasattr(type(held), "__set__") or hasattr(type(held), "__delete__"):
                return False
    return True


@cython.final
cdef class NodeClass:
    """A class of nodes.

    `own_view`: its methods cannot see more than their own node, and its machinery is upstream's.
    `generic`: nobody notices how often its nodes are copied, as far as that is up to the class.
    `is_node`: it is run the way upstream's `Node` is. `finds_next`, `clones`: these methods are
    upstream's. `prep`, `exec`, `post`: the method, None if it is upstream's, which does nothing.
    `raises_at_once`: without retries, an error is raised as it is. `layering`: how a flow runs its
    branches.
    """

    def __init__(self, cls):
        self.node_class = cls
        self.note_dicts(cls.__mro__)
        base = upstream_classes["BaseNode"]
        self.clones = issubclass(cls, base) and is_upstreams(cls, "clone", "BaseNode")
        self.finds_next = issubclass(cls, base) and is_upstreams(cls, "get_next_nodes", "BaseNode")
        is_flow = issubclass(cls, upstream_classes["Flow"])
        self.is_node = not is_flow and is_upstreams(cls, "exec_runner", "Node")
        self.prep = self.defined("prep")
        self.exec = self.defined("exec")
        self.post = self.defined("post")
        self.raises_at_once = is_upstreams(cls, "exec_fallback", "Node")
        self.layering = layering_of(cls) if is_flow else OTHER
        names = dict.fromkeys((*LIFE, *MACHINERY, *FLOW_MACHINERY, *GENERIC, *ABSENT))
        for name in names:
            names[name] = looked_up(cls, name)
        self.own_view, self.generic = False, has_generic_attributes(cls)
        if (
            (self.is_node or self.layering != OTHER)
            and runs_as_upstream(cls)
            and self.generic
        ):
            try:
                names.update(_relied_on(cls, self.lifecycle(is_flow)))
                self.own_view = True
            except LooksAroundError:
                pass
        self.methods = frozenset([name for name, held in names.items() if binds(held)])
        self.watched = self.methods.union(ABSENT)

    cdef object defined(self, str name):
        """A method of a node's life, None if it is upstream's."""
        return None if is_upstreams(self.node_class, name, "BaseNode") else looked_up(
            self.node_class, name
        )

    cdef tuple lifecycle(self, bint is_flow):
        """The methods that the class defines itself."""
        names = []
        for name in LIFE:
            held = looked_up(self.node_class, name)
            owner = "Flow" if is_flow and name == "exec" else "BaseNode"
            if name == "exec_fallback":
                owner = "Node"
            if held is None or is_upstreams(self.node_class, name, owner):
                continue
            if not is_async(held):
                raise LooksAroundError(f"{name} is not an async function")
            names.append(name)
        return tuple(names)

    cdef int note_dicts(self, tuple mro) except -1:
        """Note what is in the dicts of a class and its bases."""
        self.mro, self.dicts, self.noted = mro, [], []
        for base in mro:
            if not is_of_c(base):
                self.dicts.append(class_dict(base))
                self.noted.append(self.dicts[len(self.dicts) - 1].copy())
        self.versioned = min(len(self.dicts), MOST_DICTS)
        for index in range(self.versioned):
            self.entries[index] = <PyObject *>self.dicts[index]
            self.versions[index] = dict_version(self.entries[index])
        return 0

    cdef bint holds(self) except -1:
        """Whether the class is still what it was."""
        cdef int index
        cdef bint same = mro_of(self.node_class) == <PyObject *>self.mro
        for index in range(self.versioned):
            version = dict_version(self.entries[index])
            same = same and version != 0 and version == self.versions[index]
        if same and len(self.dicts) == self.versioned:
            return True
        return self.holds_still()

    cdef bint holds_still(self) except -1:
        """Whether what changed since is no method, nor binds what it is got from."""
        cdef dict now, was
        cdef unsigned long long versions[MOST_DICTS]
        if mro_of(self.node_class) != <PyObject *>self.mro:
            return False
        for index in range(self.versioned):
            versions[index] = dict_version(self.entries[index])
        entries = [held.copy() for held in self.dicts]
        for now, was in zip(entries, self.noted):
            if not self.is_alike(now, was):
                return False
        # Asking whether something binds may have changed a class once more.
        for index in range(self.versioned):
            self.versions[index] = versions[index]
        self.noted = entries
        return True

    cdef bint is_alike(self, dict now, dict was) except -1:
        """Whether nothing differs between two states of a class that is watched or binds."""
        for name, held in now.items():
            before = was.get(name, UNSET)
            if held is not before and (name in self.watched or binds(held) or binds(before)):
                return False
        for name, before in was.items():
            if name not in now and (name in self.watched or binds(before)):
                return False
        return True


cdef bint runs_as_upstream(cls) except -1:
    """Whether all of a node's machinery but its `exec_runner` is upstream's."""
    for name in ("run", "list_triggers", "trigger", "get_next_nodes", "clone"):
        if not is_upstreams(cls, name, "BaseNode"):
            return False
    return True


cdef int layering_of(cls) except -1:
    """How a class of flows runs what comes next, if it does so by upstream's methods."""
    for name in ("exec_runner", "run_node", "run_nodes", "_process_trigger"):
        if not is_upstreams(cls, name, "Flow"):
            return OTHER
    if is_upstreams(cls, "run_tasks", "Flow"):
        return SEQUENTIAL
    return GATHERED if is_upstreams(cls, "run_tasks", "ParallelFlow") else OTHER


cdef NodeClass class_of(object node):
    """What is known of a node's class."""
    cls = type(node)
    found = known.get(cls)
    if found is None or not (<NodeClass>found).holds():
        found = known[cls] = NodeClass(cls)
    return <NodeClass>found


cdef bint hides_a_flow(dict attributes) except -1:
    """Whether an attribute of a flow stands before the machinery of its class."""
    for name in FLOW_MACHINERY:
        if name in attributes:
            return True
    return False
