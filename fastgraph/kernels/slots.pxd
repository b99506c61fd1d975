# Direct access to `__slots__` of exact types.

cdef class Slot:
    cdef readonly object owner
    cdef readonly str name
    cdef Py_ssize_t offset
    cdef object get(self, object instance)
    cdef bint holds(self, object instance, object value) except -1
    cdef int set(self, object instance, object value) except -1
