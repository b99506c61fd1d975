cimport cython


@cython.final
cdef class ClassDict:
    cdef dict entries
    cdef dict noted
    cdef unsigned long long version
    cdef bint holds(self, frozenset watched) except -1

@cython.final
cdef class NodeClass:
    cdef readonly object node_class
    cdef readonly bint own_view
    cdef readonly bint generic
    cdef readonly bint is_node
    cdef readonly bint finds_next
    cdef readonly bint clones
    cdef readonly object prep
    cdef readonly object exec
    cdef readonly object post
    cdef readonly bint raises_at_once
    cdef readonly int layering
    cdef frozenset methods
    cdef frozenset watched
    cdef tuple mro
    cdef list dicts
    cdef object defined(self, str name)
    cdef bint holds(self) except -1
    cdef tuple lifecycle(self, bint is_flow)

cdef int bind_classes(dict upstream) except -1
cdef NodeClass class_of(object node)
cdef bint hides_a_flow(dict attributes) except -1
