cdef class LatestDict(dict):
    cdef Py_ssize_t known  # how many keys are known: all of them, or it is out of date
    cdef object greatest

    cdef int added(self, object key, Py_ssize_t before) except -1
    cpdef object latest(self)
    cdef int forget(self) except -1
