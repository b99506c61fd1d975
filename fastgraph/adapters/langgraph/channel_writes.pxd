cdef object nested_code(object method, str name)
cdef bint runs(object function, object code) noexcept
cdef bint is_runnable(object value) except -1
cdef bint writes_channels(object step) except -1
cdef bint write_channels(object step, object value, dict config) except -1
cdef bint write_entries(object entries, dict config) except -1
