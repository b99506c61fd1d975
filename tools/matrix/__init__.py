"""The package on several Pythons and LangGraph releases: what is active, and what passes.

See `tools.matrix.__main__`.
"""
