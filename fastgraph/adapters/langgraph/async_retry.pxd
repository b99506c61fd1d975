cdef object meaning(object task, dict config, object error)
cdef bint is_attempted_here(object name) except -1
cdef int count_attempt() except -1
