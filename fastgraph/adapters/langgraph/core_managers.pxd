# The callback managers of LangChain's runnables.

cdef bint is_unheard(object callbacks, object local) except -1
cdef object configured(
    object cls, object inherited, object local, object tags, object local_tags,
    object metadata, object local_metadata,
)
