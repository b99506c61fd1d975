"""BrainyFlow's adapter: running a flow without copying its whole graph for every node.

Upstream clones all that can be reached from a node each time it runs that node, so that what a
node does to itself is seen when the flow comes back to it, and by nobody else. Here:

- `memory`: access to a `Memory` and its clones.
- `node_classes`: which classes of nodes cannot see more of their graph than themselves, found out
  from the byte code of their methods.
- `node_copy`: a graph's clone, without recursion, and the copy of one node.
- `flow_run`: the run of a flow. Its graph is cloned once, which makes it nobody else's. A node of
  it that no other run comes to runs as it is; any other is copied by itself, and a graph with loops
  remembers the copies by path, so that a node met again goes on where that path left it. Where a
  node may look at its neighbours, or has containers whose copying user code could notice, the graph
  is cloned for it as upstream does.

A module imports nothing of BrainyFlow's, which runs on Python 3.13 alone: what it needs of it comes
with the function that it replaces.
"""
