cdef object in_config_context(object config, object run, object function, tuple args, dict kwargs)
cdef object traced_run(object run_manager)
cdef dict with_callbacks(dict config, object callbacks)
cdef bint writes_channels(object step) except -1
cdef bint write_channels(object step, object value, dict config) except -1
cdef bint is_runnable(object value) except -1
