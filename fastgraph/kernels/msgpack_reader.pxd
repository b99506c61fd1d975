# A bounds-checked reader of MessagePack.

cdef void remember(str key)


cdef class Reader:
    cdef object source
    cdef const unsigned char* at
    cdef const unsigned char* end
    cdef int depth
    cdef int levels
    cdef bint is_oversized
    cdef int open(self, bytes source) except -1
    cdef object value(self)
    cdef str name(self)
    cdef bint array_of(self, unsigned int size) except -1
    cdef object ext(self, int code, const unsigned char* body, Py_ssize_t size)
