cdef bint is_runnable(object value) except -1
cdef bint writes_channels(object step) except -1
cdef bint write_channels(object step, object value, dict config) except -1
cdef bint write_entries(object entries, dict config) except -1
