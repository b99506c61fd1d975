"""A flow in a flow in a flow, more of them than Python's stack can hold."""

from __future__ import annotations

import asyncio

import brainyflow as bf

import fastgraph

fastgraph.patch(frameworks=["brainyflow"], strict=True)
flow = bf.Flow(bf.Node())
for _ in range(20_000):
    flow = bf.Flow(flow)
try:
    asyncio.run(flow.run({}))
except RecursionError:
    print("RecursionError")
