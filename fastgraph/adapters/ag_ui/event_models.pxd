cdef class Field:
    cdef readonly str name
    cdef bytes head  # '"alias":'
    cdef int kind
    cdef object expected  # the member of the type, or the texts of a literal
    cdef bytes text  # of the type
    cdef bint omitted  # if it is None

cdef list fields_of(object kind)
cdef int set_field(object event, dict own, str name, object value) except -1
cdef object new_event(object kind, dict given)
