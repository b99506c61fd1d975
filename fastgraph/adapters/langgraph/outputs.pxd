from fastgraph.adapters.langgraph.channels cimport ChannelTable


cdef class RunState:
    cdef ChannelTable channels
    cdef object output_keys

    cdef dict values(self)


cdef bint wants(object stream, str mode) except -1
cdef int emit_values(object loop, ChannelTable table, object output_keys, dict tasks) except -1
