cdef class Branch:
    cdef object path
    cdef object ends
    cdef object reader
    cdef object writer
    cdef object input_schema

    cdef object state(self, object value, dict config)
    cdef object destinations(self, object result)
    cdef object go(self, object result, dict config)

cdef Branch branch_of(object step, bint is_async)
