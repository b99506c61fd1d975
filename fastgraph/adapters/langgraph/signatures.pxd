# The parameters of functions, as they are asked for at every call.

cdef object parameters_of(object callable)
