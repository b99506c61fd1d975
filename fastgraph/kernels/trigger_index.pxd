from fastgraph.kernels.version_vector cimport VersionVector


cdef class TriggerIndex:
    cdef dict triggers
    cdef dict nodes_of
    cdef dict position

    cdef list updated_nodes(self, object updated)
    cdef list triggered_nodes(self, VersionVector versions, object seen, object available)
