cdef dict with_configurable(dict config, dict changes)
