from fastgraph.kernels.trigger_index cimport TriggerIndex


cdef bint triggers_node(
    object channels, object versions, object seen, object null, object node
) except -1
cdef TriggerIndex index_of(dict nodes, dict trigger_to_nodes)
