cdef dict with_callbacks(dict config, object callbacks)
cdef object traced_run(object run_manager)
cdef bint traces_as_is(object sequence) except -1
cdef int inject(object self, object config, dict kwargs) except -1
cdef bint is_method(object bound, object function) noexcept
cdef bint hides_config(object path, dict config) except -1
cdef object call_in_context(
    dict config, object run, object function, object args, dict kwargs
)
cdef bint writes_alone(object self, object value, dict config) except -1
