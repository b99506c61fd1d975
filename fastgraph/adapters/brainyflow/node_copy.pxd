from fastgraph.adapters.brainyflow.node_classes cimport NodeClass

cdef class Graph:
    cdef bint alike
    cdef bint tree
    cdef bint loops
    cdef bint unseen
    cdef set met

cdef class Version:
    cdef object node
    cdef object copy
    cdef Version before
    cdef bint settled

cdef int bind_copies(dict upstream) except -1
cdef Graph new_graph()
cdef Version new_version(object node, object copy, Version before)
cdef object latest(object node, Version path)
cdef Version settled(Version path, Graph graph)
cdef dict own_dict(object node, NodeClass kind)
cdef object node_copy(object source)
cdef object graph_copy(object start, dict seen, Graph graph, Version path)
