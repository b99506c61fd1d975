from fastgraph.adapters.langgraph.tasks cimport Superstep

cdef dict next_tasks(Superstep superstep, object trigger_to_nodes, object updated_channels)
cdef bint prepares_supersteps(object name) except -1
