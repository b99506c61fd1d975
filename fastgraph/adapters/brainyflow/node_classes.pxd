cimport cython
from cpython.object cimport PyObject

cdef enum:
    #: So many classes may a class have among its bases, or it is compared entry by entry.
    MOST_DICTS = 12


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
    cdef list noted
    cdef int versioned
    cdef PyObject *entries[MOST_DICTS]
    cdef unsigned long long versions[MOST_DICTS]
    cdef int note_dicts(self, tuple mro) except -1
    cdef object defined(self, str name)
    cdef bint holds(self) except -1
    cdef bint holds_still(self) except -1
    cdef bint is_alike(self, dict now, dict was) except -1
    cdef tuple lifecycle(self, bint is_flow)

cdef int bind_classes(dict upstream) except -1
cdef NodeClass class_of(object node)
cdef bint hides_a_flow(dict attributes) except -1
