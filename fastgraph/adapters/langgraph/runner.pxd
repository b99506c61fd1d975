cdef int trim(object error) except -1
cdef bint goes_to_handler(object runner, object task, object error) except -1
