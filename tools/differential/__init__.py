"""Generated programs, run on stock LangGraph and on the patched one, and compared.

`program` says what a program is: data. `generator` draws one from a random source, `build` makes
LangGraph's graph of it, `execution` carries out its script and keeps all that can be seen,
`comparison` runs both engines and tells what differs, `reduction` makes a program that differs
smaller. The commands, `soak` and `mutations`, and tests/differential use them.
"""
