cdef bint starts_inline(object manager) except -1
cdef object begun(object manager, object inputs, object run_id, object name)
cdef object finished(object run, object outputs)
