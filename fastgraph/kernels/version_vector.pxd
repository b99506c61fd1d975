cdef class VersionVector:
    cdef dict versions
    cdef object highest
    cdef Py_ssize_t length
    cdef bint stale

    cdef int follow(self, dict versions) except -1
    cdef bint follows(self, dict versions)
    cdef object top(self)
    cdef object null_version(self)
    cdef int put(self, object channel, object version) except -1
    cdef bint ahead(self, object channel, object seen, object null) except -1


cdef bint later(object version, object other) except -1
