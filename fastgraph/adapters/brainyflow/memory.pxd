cdef int bind_memory(dict upstream) except -1
cdef bint is_memory(object thing)
cdef bint is_flat(object container) except -1
cdef object copied(object container)
cdef tuple stores_of(object memory)
cdef object new_memory(object shared, object local)
cdef dict cloned_local(object local, object forked)
cdef int mark(dict shared, dict local) except -1
