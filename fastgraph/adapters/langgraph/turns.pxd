cdef bint joins_contexts
cdef object shielded_nothing()
cdef object new_task(object coroutine, object context)
cdef tuple enter_scope(dict config, object run)
cdef int leave_scope(tuple scope, object run) except -1


cdef class Turns:
    cdef object loop
    cdef object future
    cdef bint has_acted

    cdef bint act(self) except -1

cdef object plain_loop()
cdef object shielded(Turns turns, object loop)
