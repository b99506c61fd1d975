from cpython.object cimport Py_GT, PyObject_RichCompareBool
from cpython.unicode cimport PyUnicode_Compare

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


cdef inline bint later(object version, object other) except -1:
    """Whether `version` is greater than `other`."""
    # `str` is what most savers use; comparing two of them needs no dispatch.
    if type(version) is str and type(other) is str:
        return version is not other and PyUnicode_Compare(version, other) > 0
    return PyObject_RichCompareBool(version, other, Py_GT)
