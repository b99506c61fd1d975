cdef bint keeps_threads(object executor) except -1
