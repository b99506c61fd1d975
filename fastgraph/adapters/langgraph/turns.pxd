cdef bint joins_contexts
cdef object shielded_nothing()
cdef object paused(object loop)
cdef bint is_plain(object loop) except -1
cdef object plain_task(object coroutine, object loop, object name, object context)
cdef object new_task(object coroutine, object context)
cdef tuple enter_scope(dict config, object run)
cdef int leave_scope(tuple scope, object run) except -1
cdef object plain_loop()


cdef class Act:
    cdef object loop
    cdef object future
    cdef bint has_acted

    cdef bint act(self) except -1

cdef object shielded(Act act, object loop)
