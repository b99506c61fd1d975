"""What is known of a class of nodes: which of upstream's methods it has, and what it can see.

Found out once per class and kept as long as the names that it was found from hold what they held;
a class that counts in one of its attributes stays known.
"""

from types import FunctionType as _FunctionType

from fastgraph.adapters.brainyflow.own_view import LooksAroundError, is_async
from fastgraph.adapters.brainyflow.own_view import relied_on as _relied_on

from cpython.object cimport PyObject

cdef extern from *:
    """
    /* 0 where the type has no valid tag: then the names are compared. */
    static unsigned int fastgraph_type_tag(PyObject *type) {
        return ((PyTypeObject *)type)->tp_version_tag;
    }
    """
    unsigned int type_tag "fastgraph_type_tag"(object node_class)

cdef extern from "Python.h":
    PyObject *_PyType_Lookup(object node_class, object name)

cdef object FunctionType = _FunctionType
cdef dict upstream_classes = {}
#: Class and name -> upstream's function of that name, and what stands in for it.
cdef dict upstream_methods = {}
cdef dict known = {}

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
    return hasattr(type(held), "__get__")


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
            if name in ("__dict__", "__weakref__"):
                continue
            if hasattr(type(held), "__set__") or hasattr(type(held), "__delete__"):
                return False
    return True


cdef class NodeClass:
    """A class of nodes.

    `own_view`: its methods cannot see more than their own node, and its machinery is upstream's.
    `generic`: nobody notices how often its nodes are copied, as far as that is up to the class.
    `is_node`: it is run the way upstream's `Node` is. `finds_next`, `clones`: these methods are
    upstream's. `has_...`: the method does something. `raises_at_once`: without retries, an error
    is raised as it is. `layering`: how a flow runs its branches.
    """

    def __init__(self, cls):
        self.node_class = cls
        self.tag = 0
        base = upstream_classes["BaseNode"]
        self.clones = issubclass(cls, base) and is_upstreams(cls, "clone", "BaseNode")
        self.finds_next = issubclass(cls, base) and is_upstreams(cls, "get_next_nodes", "BaseNode")
        is_flow = issubclass(cls, upstream_classes["Flow"])
        self.is_node = not is_flow and is_upstreams(cls, "exec_runner", "Node")
        self.has_prep = not is_upstreams(cls, "prep", "BaseNode")
        self.has_exec = not is_upstreams(cls, "exec", "BaseNode")
        self.has_post = not is_upstreams(cls, "post", "BaseNode")
        self.raises_at_once = is_upstreams(cls, "exec_fallback", "Node")
        self.layering = layering_of(cls) if is_flow else OTHER
        self.methods, self.relied_on = frozenset(), ()
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
        self.relied_on = tuple(names.items())
        self.methods = frozenset([name for name, held in self.relied_on if binds(held)])

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

    cdef bint holds(self) except -1:
        """Whether the class is still what it was."""
        cdef unsigned int tag = type_tag(self.node_class)
        if tag != 0 and tag == self.tag:
            return True
        for name, held in self.relied_on:
            found = looked_up(self.node_class, name)
            # Other things are seen as they are when they are looked at.
            if found is not held and (binds(found) or binds(held)):
                return False
        # A lookup has given the type a tag, if there was any left to give.
        self.tag = type_tag(self.node_class)
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


cdef bint hides_a_method(NodeClass kind, dict attributes) except -1:
    """Whether an attribute of a node stands before one of its class that is relied on."""
    for name in attributes:
        if name in kind.methods:
            return True
    return False


cdef bint hides_a_flow(dict attributes) except -1:
    """Whether an attribute of a flow stands before the machinery of its class."""
    for name in FLOW_MACHINERY:
        if name in attributes:
            return True
    return False
