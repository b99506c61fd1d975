cdef class Branch:
    cdef object spec
    cdef object path
    cdef object ends
    cdef object reader
    cdef object writer
    cdef object input_schema

    cdef object state(self, object value, dict config)
    cdef object entries(self, object result)

cdef Branch branch_of(object step, bint is_async)
cdef bint passes_through(object entries) except -1
