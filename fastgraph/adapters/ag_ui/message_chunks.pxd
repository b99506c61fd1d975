cdef dict text_chunk(object value)
