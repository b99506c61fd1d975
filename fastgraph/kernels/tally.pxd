cdef class Tally:
    cdef readonly str name
    cdef public unsigned long long calls
    cdef dict _fallbacks
