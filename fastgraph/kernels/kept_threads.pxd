cdef bint keeps_threads(object executor) except -1
cdef bint took_idle(object semaphore) except -1
cdef bint hires(object adjusting) except -1
cdef int adjust(object executor) except -1
