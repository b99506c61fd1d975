cdef object background_of(object submit)
cdef int keep(object executor, object task, tuple on_exit) except -1
cdef int forget(object executor, object task) except -1
