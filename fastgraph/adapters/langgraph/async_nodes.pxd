cdef object ended(object manager, object run_id, object value)
cdef object failed(object manager, object run_id, object error)
cdef object next_step(
    Py_ssize_t index, object step, object value, dict config, object source, object run_id,
    object run,
)
cdef bint is_one_call(object sequence) except -1
cdef bint starts_quietly(dict config) except -1
cdef int count_call() except -1
