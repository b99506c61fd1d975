cdef str path_text(object path)
cdef str hashed_id(object namespace, str parts)
