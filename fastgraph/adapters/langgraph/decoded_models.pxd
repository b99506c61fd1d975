# Instances of well-known classes, made without running their constructors.

cdef class Maker:
    cdef readonly object cls
    cdef readonly int code
    cdef unsigned long long checked
    cdef bint intact
    cdef bint is_intact(self) except -1
    cdef object make(self, object payload, bint is_plain)

cdef list makers
cdef Maker maker_of(object cls)
