cdef class NodeClass:
    cdef readonly object node_class
    cdef readonly bint own_view
    cdef readonly bint generic
    cdef readonly bint is_node
    cdef readonly bint finds_next
    cdef readonly bint clones
    cdef readonly bint has_prep
    cdef readonly bint has_exec
    cdef readonly bint has_post
    cdef readonly bint raises_at_once
    cdef readonly int layering
    cdef frozenset methods
    cdef tuple relied_on
    cdef unsigned int tag
    cdef bint holds(self) except -1
    cdef tuple lifecycle(self, bint is_flow)

cdef int bind_classes(dict upstream) except -1
cdef NodeClass class_of(object node)
cdef bint hides_a_method(NodeClass kind, dict attributes) except -1
cdef bint hides_a_flow(dict attributes) except -1
