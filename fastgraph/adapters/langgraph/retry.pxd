cdef bint adds_notes
cdef str outside(object task, object retry_policy)
cdef dict attempt_config(object task, object configurable, double started)
cdef bint handles_parent_command(object task, dict config, object error) except -1
