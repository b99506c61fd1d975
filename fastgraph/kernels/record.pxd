from fastgraph.kernels.slots cimport Slot


cdef class Record:
    cdef readonly object cls
    cdef readonly tuple names
    cdef list slots
    cdef dict position

    cdef object make(self, tuple values)
    cdef object changed(self, object instance, dict changes)
    cdef object duplicate(self, object instance)
    cdef Slot slot(self, str name)
