# Configs of LangChain's runnables.

cdef dict complete_config(object config)
cdef object copied_manager(object manager)
