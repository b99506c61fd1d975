"""Clones of graphs, and copies of single nodes.

Upstream clones by a recursion over all successors, in which lists, dicts and sets among a node's
attributes are copied deeply. `graph_copy` does the same in the same order from a stack of its own,
so that no length of a chain is too much for it.

`node_copy` copies one node, whose successors are those of the node that it was made from. It stands
for a clone of the whole graph where the two cannot be told apart: copying is not noticed by anybody
(`Graph.alike`), and the node that runs does not see its successors (`NodeClass.own_view`). In a
graph with loops a path remembers the copies that ran (`Version`): met again, a node is copied from
the last of them. Upstream would have copied it right after it ran, so if anybody else could change
it after that, it is copied right then (`settled`).

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
    hides_a_method,
)
from fastgraph.adapters.brainyflow.node_classes import stands_in
from fastgraph.kernels.tally cimport Tally

cdef extern from "Python.h":
    Py_ssize_t Py_REFCNT(PyObject *thing)
    object PyType_GenericAlloc(object kind, Py_ssize_t items)
    object PyObject_GenericGetAttr(object instance, object name)
    int PyObject_GenericSetAttr(object instance, object name, object value) except -1
    int Py_EnterRecursiveCall(const char *where) except -1
    void Py_LeaveRecursiveCall()

cdef object getweakrefcount = _getweakrefcount
cdef object END = object()
#: So deep a container may be, and its copying is still known not to be noticed.
cdef int DEEPEST = 20

cdef object stock_clone
cdef Tally clone_tally


@cython.final
cdef class Graph:
    """A clone of a graph that nobody else has.

    `alike`: nobody notices by whom and when its nodes are copied. `loops`: some node may be met
    again. `met`: those that ran, if so.
    """


@cython.final
@cython.trashcan(True)
cdef class Version:
    """A copy that ran, of a node of a graph, and what ran before it on the same path.

    `settled`: nobody can change the copy any more.
    """


cdef Graph new_graph():
    graph = <Graph>Graph.__new__(Graph)
    graph.alike, graph.loops, graph.met = True, False, set()
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


cdef object node_copy(object source):
    """Copy one node, with its successors as they are."""
    clone = PyType_GenericAlloc(type(source), 0)
    for key, value in (<dict>source.__dict__).items():
        kind = type(value)
        if kind is list or kind is dict or kind is set:
            # What it triggered is forgotten before anybody can ask.
            if key == "_triggers":
                value = []
            elif key != "successors":
                value = copied(value)
        PyObject_GenericSetAttr(clone, key, value)
    return clone


@cython.final
cdef class Opened:
    """A node whose successors are being cloned."""

    cdef object node
    cdef object clone
    cdef object items
    cdef object action
    cdef object nodes
    cdef list clones
    cdef object successors


cdef Opened opened(object node, dict seen, Graph graph, Version path):
    """Clone a node and its attributes, but not its successors."""
    cls = type(node)
    cdef NodeClass kind
    source = node if path is None else latest(node, path)
    attributes = source.__dict__
    clone = cls.__new__(cls)
    seen[node] = clone
    for key, value in attributes.items():
        if key == "successors":
            continue
        if isinstance(value, (list, dict, set)):
            if graph.alike and not is_plain(value, DEEPEST):
                graph.alike = False
            setattr(clone, key, copied(value))
        else:
            setattr(clone, key, value)
    kind = class_of(node)
    if not kind.generic or type(attributes) is not dict or hides_a_method(kind, attributes):
        graph.alike = False
    clone.successors = {}
    frame = <Opened>Opened.__new__(Opened)
    frame.node, frame.clone, frame.successors = node, clone, clone.successors
    frame.items = iter(source.successors.items())
    return frame


cdef bint clones_itself(object node, NodeClass kind) except -1:
    """Whether a node has another `clone` than upstream's."""
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
    cdef list stack = [opened(start, seen, graph, path)]
    cdef set above = {id(start)}
    cdef Opened frame
    while True:
        frame = <Opened>stack[len(stack) - 1]
        if frame.nodes is None:
            item = next(frame.items, END)
            if item is END:
                stack.pop()
                above.discard(id(frame.node))
                if not stack:
                    return frame.clone
                (<Opened>stack[len(stack) - 1]).clones.append(frame.clone)
                continue
            frame.action, nodes = item
            frame.nodes, frame.clones = iter(nodes), []
        node = next(frame.nodes, END)
        if node is END:
            frame.successors[frame.action] = frame.clones
            frame.nodes = None
        elif not node:
            graph.alike = False
            frame.clones.append(node)
        elif clones_itself(node, class_of(node)):
            graph.alike = False
            frame.clones.append(node.clone(seen))
        elif node in seen:
            if id(node) in above:
                graph.loops = True
            frame.clones.append(seen[node])
        else:
            above.add(id(node))
            stack.append(opened(node, seen, graph, path))


def make_clone(original, Tally tally not None, str variant):
    global stock_clone, clone_tally
    bind_classes(original.__globals__)
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
