# Configs of LangChain's runnables.

cdef dict complete_config(object config, object callbacks)
cdef dict with_callbacks(object config, object callbacks)
