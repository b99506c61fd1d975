"""Other ways to make LangGraph faster, on the same graphs: fast-langgraph, and Cython alone."""
