cdef class Job:
    cdef readonly object future
    cdef object function
    cdef tuple args
    cdef dict kwargs


cdef class LoopJob:
    cdef object loop
    cdef object waiting
    cdef object function
    cdef tuple args
    cdef dict kwargs
    cdef object result
    cdef object error
    cdef bint is_pending
    cdef bint is_dropped

    cdef bint begins(self) except -1
    cdef int tell(self) except -1


cdef bint runs_jobs(object executor) except -1
cdef object submitted(object executor, object function, tuple args, dict kwargs)
cdef object awaited(
    object loop, object executor, object function, tuple args, dict kwargs
)
