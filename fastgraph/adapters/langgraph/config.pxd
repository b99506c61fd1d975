cdef class ConfigSkeleton:
    cdef dict base
    cdef object metadata
    cdef object tags
    cdef bint nested

    @staticmethod
    cdef ConfigSkeleton of(dict config)
    cdef dict own(self, dict metadata, object tags, object callbacks, dict configurable)
    cdef dict with_metadata(self, dict metadata)


cdef bint merges_configs(object name) except -1
cdef dict flattened(object mapping)
