"""Where the time of a run goes, stock or patched: seen from outside, with nothing in the engine.

`Profiler` times the parts of LangGraph's superstep (`sites`) and the user's own functions
(`user_code`) while a run lasts, and keeps a `Span` for each call (`spans`). `breakdown` makes of
them what each part, node and superstep took; `trace` writes them for Perfetto.
"""
