cdef object json_safe(object value)
