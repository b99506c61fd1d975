# The callback managers of LangChain's runnables.

cdef object manager_for(object cls, object configure, object config)
