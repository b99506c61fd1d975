"""Clones of graphs, and copies of single nodes.

Upstream clones by a recursion over all successors, in which lists, dicts and sets among a node's
attributes are copied deeply. `graph_copy` does the same in the same order from a stack of its own,
so that no length of a chain is too much for it.

`node_copy` copies one node, whose successors are those of the node that it was made from. It, or
the node itself if no other run comes to it (`Graph.tree`), stands for a clone of the whole graph
where the two cannot be told apart: copying is not noticed by anybody (`Graph.alike`), and the node
that runs does not see its successors (`NodeClass.own_view`). In a graph with loops a path remembers
the copies that ran (`Version`): met again, a node is copied from the last of them. Upstream would
have copied it right after it ran, so if anybody else could change it after that, it is copied right
then (`settled`).

Domain: any graph; a node that has another `clone` than upstream's is asked to clone itself.
"""

cimport cython
from cpython.object cimport PyObject
from weakref import getweakrefcount as _getweakrefcount

from fastgraph.adapters.brainyflow.memory cimport copied, is_flat
from fastgraph.adapters.brainyflow.node_classes cimport (
    NodeClass,
    bind_classes,
    class_of,
)
from fastgraph.adapters.brainyflow.node_classes import stands_in
from fastgraph.kernels.tally cimport Tally

cdef extern from "Python.h":
    Py_ssize_t Py_REFCNT(PyObject *thing)
    int PyDict_Next(
        object entries, Py_ssize_t *position, PyObject **key, PyObject **value
    )
    int PySet_Contains(object things, object thing) except -1
    object PyLong_FromVoidPtr(void *address)
    object PyType_GenericAlloc(object kind, Py_ssize_t items)
    object PyObject_GenericGetDict(object instance, void *context)
    int Py_EnterRecursiveCall(const char *where) except -1
    void Py_LeaveRecursiveCall()

cdef extern from *:
    """
    static inline int fastgraph_set(PyObject *descriptor, PyObject *instance, PyObject *value)
    {
        return Py_TYPE(descriptor)->tp_descr_set(descriptor, instance, value);
    }
    """
    int set_by "fastgraph_set"(object descriptor, object instance, object value) except -1

cdef object getweakrefcount = _getweakrefcount
cdef object END = object()
cdef str SUCCESSORS = "successors"
#: So deep a container may be, and its copying is still known not to be noticed.
cdef int DEEPEST = 20

#: What sets the `__dict__` of a node.
cdef object dict_of_nodes = None
cdef object stock_clone
cdef Tally clone_tally


@cython.final
cdef class Graph:
    """A clone of a graph that nobody else has.

    `alike`: nobody notices by whom and when its nodes are copied. `tree`: each node is met on one
    way only. `loops`: some node may be met again. `met`: those that ran, if so. `unseen`: nobody
    looks at its nodes, unless they are cloned once more.
    """


@cython.final
@cython.trashcan(True)
cdef class Version:
    """A copy that ran, of a node of a graph, and what ran before it on the same path.

    `settled`: nobody can change the copy any more.
    """


cdef Graph new_graph():
    graph = <Graph>Graph.__new__(Graph)
    graph.alike, graph.tree, graph.loops, graph.unseen = True, True, False, False
    graph.met = set()
    return graph


cdef Version new_version(object node, object copy, Version before):
    version = <Version>Version.__new__(Version)
    version.node, version.copy, version.before, version.settled = node, copy, before, False
    return version


cdef object latest(object node, Version path):
    """The copy of a node that ran last on a path; the node itself if none did."""
    while path is not None:
        if path.node is node:
            return path.copy
        path = path.before
    return node


cdef bint is_plain(object value, int depth) except -1:
    """Whether a deep copy of a value calls nobody's code and ends."""
    if is_flat(value):
        return True
    kind = type(value)
    if depth == 0:
        return False
    if kind is dict:
        for key, held in (<dict>value).items():
            if not (is_plain(key, depth - 1) and is_plain(held, depth - 1)):
                return False
        return True
    if kind is list:
        for held in <list>value:
            if not is_plain(held, depth - 1):
                return False
        return True
    if kind is tuple:
        for held in <tuple>value:
            if not is_plain(held, depth - 1):
                return False
        return True
    return is_flat([value])


cdef Version settled(Version path, Graph graph):
    """A path whose last copy cannot change, as a node that follows has to find it."""
    if path is None or path.settled:
        return path
    attributes = path.copy.__dict__
    # One reference is the path's. A graph's own node has those of its neighbours besides.
    loose = (
        path.copy is path.node
        or Py_REFCNT(<PyObject *>path.copy) > 1
        or getweakrefcount(path.copy) != 0
    )
    for key, value in (<dict>attributes).items():
        if key == "successors" or not isinstance(value, (list, dict, set)):
            continue
        if not is_plain(value, DEEPEST):
            graph.alike = False
        # One reference is the loop's, one the attribute's.
        if Py_REFCNT(<PyObject *>value) > 2 or (key != "_triggers" and not is_flat(value)):
            loose = True
    if not graph.alike:
        return path
    if not loose:
        path.settled = True
        return path
    path = new_version(path.node, node_copy(path.copy), path.before)
    path.settled = True
    return path


cdef dict own_dict(object node, NodeClass kind):
    """The dict that is all that there is to a node's attributes, None if there is more to them."""
    if not (kind.generic and kind.clones):
        return None
    attributes = PyObject_GenericGetDict(node, NULL)
    return <dict>attributes if type(attributes) is dict else None


cdef object with_attributes(object cls, dict attributes):
    """An object of a class whose objects have a dict, without that its class is asked."""
    made = PyType_GenericAlloc(cls, 0)
    # `PyObject_GenericSetDict` leaves the first releases of 3.13 with two sets of attributes.
    set_by(dict_of_nodes, made, attributes)
    return made


cdef object node_copy(object source):
    """Copy one node, with its successors as they are."""
    cdef dict attributes = PyObject_GenericGetDict(source, NULL)
    cdef dict copy = attributes.copy()
    for key, value in attributes.items():
        kind = type(value)
        if kind is list or kind is dict or kind is set:
            # What it triggered is forgotten before anybody can ask.
            if key == "_triggers":
                copy[key] = []
            elif key is not SUCCESSORS and key != SUCCESSORS:
                copy[key] = copied(value)
    return with_attributes(type(source), copy)


cdef inline bint is_container(object value) except -1:
    """Whether upstream copies an attribute's value deeply."""
    kind = type(value)
    if kind is int or kind is str or kind is bool or value is None:
        return False
    return kind is list or kind is dict or kind is set or isinstance(value, (list, dict, set))


cdef object container_copy(object value, Graph graph):
    """`copy.deepcopy(value)`, noting whether somebody may notice."""
    if graph.alike and not is_plain(value, DEEPEST):
        graph.alike = False
    return copied(value)


cdef dict cloned_attributes(dict attributes, NodeClass kind, Graph graph):
    """The attributes of a clone, if its class is generic; of its successors, those of the node."""
    # Upstream's clones have their successors last, which a node sees only from outside.
    cdef dict cloned = attributes.copy() if graph.unseen else {}
    for key, value in attributes.items():
        if type(key) is not str:
            raise TypeError(f"attribute name must be string, not '{type(key).__name__}'")
        if PySet_Contains(kind.methods, key):
            graph.alike = False
        if is_container(value):
            if key is not SUCCESSORS and key != SUCCESSORS:
                cloned[key] = container_copy(value, graph)
        elif not graph.unseen:
            cloned[key] = value
    return cloned


@cython.final
@cython.freelist(32)
cdef class Opened:
    """A node whose successors are being cloned.

    `items` goes through them, unless they are exactly a dict: then `left` of them are left.
    """

    cdef object node
    cdef object items
    cdef dict source
    cdef Py_ssize_t size
    cdef Py_ssize_t left
    cdef Py_ssize_t position
    cdef object action
    cdef object nodes
    cdef list clones
    cdef object successors

    cdef bint begins_next(self) except -1:
        """Go on to the nodes of the next action, if there is one left."""
        cdef PyObject *action
        cdef PyObject *nodes
        if self.source is None:
            item = next(self.items, END)
            if item is END:
                return False
            self.action, found = item
        else:
            # As an iterator has it, which takes longer to make than to use.
            if len(self.source) != self.size:
                raise RuntimeError("dictionary changed size during iteration")
            if not PyDict_Next(self.source, &self.position, &action, &nodes):
                return False
            if self.left == 0:
                raise RuntimeError("dictionary keys changed during iteration")
            self.left -= 1
            self.action, found = <object>action, <object>nodes
        self.nodes, self.clones = iter(found), []
        return True


cdef object opened(
    object node, NodeClass kind, dict seen, Graph graph, Version path, list stack
):
    """Clone a node; if it has successors, it is put on the stack."""
    cdef dict attributes, cloned
    source = node if path is None else latest(node, path)
    attributes = own_dict(source, kind)
    if attributes is not None and SUCCESSORS in attributes:
        successors = attributes[SUCCESSORS]
        cloned = cloned_attributes(attributes, kind, graph)
        cloned[SUCCESSORS] = clones = {}
        clone = seen[node] = with_attributes(type(node), cloned)
    else:
        graph.alike = False
        clone = seen[node] = type(node).__new__(type(node))
        for key, value in source.__dict__.items():
            if key != SUCCESSORS:
                setattr(clone, key, copied(value) if is_container(value) else value)
        clone.successors = {}
        clones, successors = clone.successors, source.successors
    if type(successors) is not dict or <dict>successors:
        frame = <Opened>Opened.__new__(Opened)
        frame.node, frame.successors = node, clones
        if type(successors) is dict:
            frame.source = successors
            frame.size = frame.left = len(frame.source)
        else:
            frame.items = iter(successors.items())
        stack.append(frame)
    return clone


cdef bint clones_itself(object node, NodeClass kind) except -1:
    """Whether a node has another `clone` than upstream's."""
    cdef dict attributes = own_dict(node, kind)
    if attributes is not None:
        return "clone" in attributes
    return not kind.clones or "clone" in getattr(node, "__dict__", ())


cdef object graph_copy(object start, dict seen, Graph graph, Version path):
    """Clone all that can be reached from a node that has upstream's `clone`.

    Follows `brainyflow.BaseNode.clone`. What is seen of the graph is noted; of a node whose
    versions are on the path, the last one is cloned.
    """
    Py_EnterRecursiveCall(" while cloning a graph")
    try:
        return walked(start, seen, graph, path)
    finally:
        Py_LeaveRecursiveCall()


cdef object walked(object start, dict seen, Graph graph, Version path):
    cdef list stack = []
    cdef set above = set()
    cdef Opened frame
    cdef NodeClass kind
    first = opened(start, class_of(start), seen, graph, path, stack)
    while stack:
        frame = <Opened>stack[len(stack) - 1]
        if frame.nodes is None:
            if not frame.begins_next():
                stack.pop()
                above.discard(PyLong_FromVoidPtr(<PyObject *>frame.node))
                continue
            above.add(PyLong_FromVoidPtr(<PyObject *>frame.node))
        node = next(frame.nodes, END)
        if node is END:
            frame.successors[frame.action] = frame.clones
            frame.nodes = None
            continue
        if not node:
            graph.alike = False
            frame.clones.append(node)
            continue
        kind = class_of(node)
        if clones_itself(node, kind):
            graph.alike = False
            frame.clones.append(node.clone(seen))
        elif node in seen:
            graph.tree = False
            if PyLong_FromVoidPtr(<PyObject *>node) in above:
                graph.loops = True
            frame.clones.append(seen[node])
        else:
            frame.clones.append(opened(node, kind, seen, graph, path, stack))
    return first


cdef int bind_copies(dict upstream) except -1:
    """Take what upstream's module defines."""
    global dict_of_nodes
    bind_classes(upstream)
    dict_of_nodes = upstream["BaseNode"].__dict__["__dict__"]
    return 0


def make_clone(original, Tally tally not None, str variant):
    global stock_clone, clone_tally
    bind_copies(original.__globals__)
    stock_clone, clone_tally = original, tally
    return stands_in(original.__globals__["BaseNode"], "clone", clone)


def clone(self, seen=None):
    """Clone a node with all that can be reached from it.

    Replaces `brainyflow.BaseNode.clone`.
    """
    clone_tally.calls += 1
    seen = seen or {}
    if type(seen) is not dict:
        clone_tally.fell_back("the nodes seen are not a dict")
        return stock_clone(self, seen)
    if self in seen:
        return seen[self]
    return graph_copy(self, seen, new_graph(), None)
