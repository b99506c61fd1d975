"""The run of a flow: each node with its own copy and its own memory, then what it triggered.

Upstream runs a node's successors inside the run of the node, five coroutines deep for each; here
the nodes that wait for their successors are on a list, so that neither the depth of Python's stack
nor the time of each step grows with the length of a chain. Nothing is awaited that upstream does
not wait for, so the event loop gets its turns where it does upstream: in a `ParallelFlow` there is
an `asyncio.gather` for the triggers of a node, and in each of its tasks one for the nodes that a
trigger leads to, with a task for each.

A node's `prep`, `exec` and `post` are called here if its class is run by upstream's `Node` and sees
no more than itself; the `run` of all others is called as upstream calls it, on a node in a clone of
its graph. Errors, tries and fallbacks are upstream's `exec_runner`'s, unless there is one try and
no fallback.

Domain: flows that have upstream's methods, those of `Flow` or `ParallelFlow`; a node that finds
its successors by itself is upstream's with all that follows it.
"""

import warnings as _warnings

cimport cython
from fastgraph.adapters.brainyflow.memory cimport (
    bind_memory,
    cloned_local,
    is_memory,
    mark,
    new_memory,
    stores_of,
)
from fastgraph.adapters.brainyflow.node_classes cimport (
    NodeClass,
    bind_classes,
    class_of,
    hides_a_flow,
)
from fastgraph.adapters.brainyflow.node_classes import stands_in
from fastgraph.adapters.brainyflow.node_copy cimport (
    Graph,
    Version,
    graph_copy,
    latest,
    new_graph,
    new_version,
    node_copy,
    settled,
)
from fastgraph.kernels.tally cimport Tally

cdef extern from "Python.h":
    object PyObject_GenericGetAttr(object instance, object name)
    int PyObject_GenericSetAttr(object instance, object name, object value) except -1

cdef int GATHERED = 2

cdef object warn_explicit = _warnings.warn_explicit
cdef object asyncio = None
cdef object DEFAULT_ACTION = None
#: Upstream's file, module and the line from which it asks for a node's successors.
cdef dict upstream_globals = {}
cdef str upstream_file = ""
cdef int asking_line = 0

cdef object stock_exec_runner, stock_run_node
cdef Tally exec_runner_tally, run_node_tally


@cython.final
cdef class Store:
    """A memory between two nodes: its stores, or as it is if they are not dicts."""

    cdef object memory
    cdef object shared
    cdef object local


cdef Store kept(object memory):
    """Keep a memory that upstream made or was given."""
    store = <Store>Store.__new__(Store)
    if is_memory(memory):
        shared, local = stores_of(memory)
        if type(shared) is dict and type(local) is dict:
            store.shared, store.local = shared, local
            return store
    store.memory = memory
    return store


cdef Store forked(object memory, object data):
    """`memory.clone(data)` of a memory that a node has had."""
    cdef Store store
    shared, local = stores_of(memory)
    if type(shared) is not dict or type(local) is not dict:
        return kept(memory.clone(data))
    store = <Store>Store.__new__(Store)
    store.shared, store.local = shared, cloned_local(local, data)
    mark(<dict>shared, <dict>store.local)
    return store


cdef object for_node(Store store):
    """The memory of a node: a clone of the one it was reached with."""
    if store.memory is not None:
        return store.memory.clone()
    return new_memory(store.shared, cloned_local(store.local, None))


cdef object local_of(Store store):
    return store.local if store.memory is None else store.memory._local


@cython.final
cdef class Branch:
    """Where a trigger leads: to which nodes, of which graph on which path, with which memory."""

    cdef object action
    cdef object nodes
    cdef Graph graph
    cdef Version path
    cdef Store store
    cdef list waiting
    cdef Py_ssize_t next
    cdef list trees

    cdef Step begun(self):
        """The run of the next node, None if all have run."""
        if self.waiting is None:
            self.waiting, self.trees = list(self.nodes), []
        if self.next == len(self.waiting):
            return None
        self.next += 1
        step = new_step(self.waiting[self.next - 1], self.graph, self.path, self.store)
        if self.next == len(self.waiting):
            # What nobody asks for again is not kept for as long as all that follows runs.
            self.store, self.graph, self.path = None, None, None
        return step


@cython.final
cdef class Step:
    """The run of a node. `graph` is None for a node of a graph that is not our own."""

    cdef object node
    cdef Graph graph
    cdef Version path
    cdef Store store
    cdef object order
    cdef dict triggered
    cdef list branches
    cdef Py_ssize_t current
    cdef object result

    cdef Step following(self):
        """The next run among those that this one triggered, None after the last."""
        cdef Step step
        while self.current < len(self.branches):
            step = (<Branch>self.branches[self.current]).begun()
            if step is not None:
                return step
            self.current += 1
        return None

    cdef object tree(self):
        """What upstream logs of the run."""
        cdef Branch branch
        if self.result is not None:
            return self.result
        for item in self.branches:
            branch = <Branch>item
            if branch.trees is not None:
                self.triggered[branch.action] = branch.trees
        return {
            "order": self.order,
            "type": self.node.__class__.__name__,
            "triggered": self.triggered if self.triggered else None,
        }


cdef Step new_step(object node, Graph graph, Version path, Store store):
    step = <Step>Step.__new__(Step)
    step.node, step.graph, step.path, step.store = node, graph, path, store
    step.triggered, step.branches = {}, []
    return step


cdef object successors_for(object node, object successors, object action):
    """The nodes that an action leads to, with upstream's warning if there are none.

    Follows `brainyflow.BaseNode.get_next_nodes`.
    """
    found = successors.get(action, [])
    if not found and action and action != DEFAULT_ACTION and successors:
        warn_explicit(
            f"Flow ends for node {node.__class__.__name__}#{node._node_order}: Action '{action}' "
            f"not found in its defined successors {list(successors.keys())}",
            UserWarning,
            upstream_file,
            asking_line,
            upstream_globals.get("__name__", "<unknown>"),
            upstream_globals.setdefault("__warningregistry__", {}),
        )
    return found


cdef int count_visit(object flow, object node, object order) except -1:
    visits = flow.visit_counts.get(order, 0) + 1
    assert visits <= flow.options["max_visits"], (
        f"Maximum cycle count ({flow.options['max_visits']}) reached for "
        f"{node.__class__.__name__}#{order}"
    )
    flow.visit_counts[order] = visits
    return 0


cdef object graph_clone(object node, NodeClass kind, Graph graph, Version path):
    """`node.clone()`, noting what is seen of the graph."""
    if not kind.clones or "clone" in node.__dict__:
        graph.alike = False
        return node.clone()
    return graph_copy(node, {}, graph, path)


cdef bint asks_others(object node, NodeClass kind) except -1:
    """Whether a node finds its successors by a method that is not upstream's."""
    return not kind.finds_next or "get_next_nodes" in node.__dict__


cdef int lead_on(
    Step step,
    object flow,
    object clone,
    object successors,
    list triggers,
    Graph graph,
    Version path,
) except -1:
    """Note where the triggers of a run lead: each an action and the memory for what follows."""
    cdef Branch branch
    cdef Store store
    for action, held in triggers:
        store = <Store>held
        nodes = successors_for(clone, successors, action)
        if nodes:
            branch = <Branch>Branch.__new__(Branch)
            branch.action, branch.nodes, branch.store = action, nodes, store
            branch.graph, branch.path = graph, path
            step.branches.append(branch)
        elif len(clone._triggers) > 0:
            flow._triggers.append({"action": action, "forking_data": local_of(store)})
            step.triggered[action] = []
    return 0


cdef list triggers_of(object clone, object memory):
    """`clone.list_triggers(memory)`."""
    triggers = clone._triggers
    if not triggers:
        return [(DEFAULT_ACTION, forked(memory, None))]
    return [(each["action"], forked(memory, each["forking_data"])) for each in triggers]


cdef list kept_triggers(object triggers):
    return [(action, kept(memory)) for action, memory in triggers]


async def _run(flow, Step step):
    """Run one node, and find out what follows.

    Follows `brainyflow.Flow.run_node` and, for nodes that see only themselves,
    `brainyflow.BaseNode.run`.
    """
    cdef NodeClass kind
    cdef Graph graph = step.graph
    cdef Version path = step.path
    cdef list triggers
    node = step.node
    step.order = node._node_order
    kind = class_of(node)
    if not kind.clones and not kind.finds_next:
        # Not upstream's node at all; it says by itself what it lacks.
        step.result = await stock_run_node(flow, node, memory_of(step.store))
        return
    if asks_others(node, kind):
        if path is not None:
            node = graph_clone(node, kind, new_graph(), settled(path, graph))
        step.result = await stock_run_node(flow, node, memory_of(step.store))
        return
    count_visit(flow, node, step.order)
    if graph is not None and graph.loops:
        path = settled(path, graph)
    if graph is not None and graph.alike and kind.own_view:
        clone = node_copy(latest(node, path) if node in graph.met else node)
    else:
        graph, clone = new_graph(), None
        clone = graph_clone(node, kind, graph, path)
        node, path = clone, None
        if not kind.own_view:
            graph.alike = False
    memory = for_node(step.store)

    if not (graph.alike and kind.is_node):
        triggers = kept_triggers(await clone.run(memory, True))
    else:
        PyObject_GenericSetAttr(clone, "_triggers", [])
        prepared = await clone.prep(memory) if kind.has_prep else None
        retries = clone.max_retries
        if not (kind.raises_at_once and type(retries) is int and retries == 1):
            done = await clone.exec_runner(memory, prepared)
        else:
            PyObject_GenericSetAttr(clone, "cur_retry", 0)
            done = None
            if kind.has_exec:
                try:
                    done = await clone.exec(prepared)
                except Exception as error:
                    if not hasattr(error, "retry_count"):
                        error.retry_count = 1
                    raise
        if kind.has_post:
            PyObject_GenericSetAttr(clone, "_locked", False)
            await clone.post(memory, prepared, done)
        PyObject_GenericSetAttr(clone, "_locked", True)
        done = prepared = None
        triggers = triggers_of(clone, memory)

    if not graph.alike:
        lead_on(step, flow, clone, clone.successors, triggers, None, None)
        return
    if graph.loops:
        graph.met.add(node)
        path = new_version(node, clone, path)
    # The node of the graph has the successors that the copy cannot have changed.
    lead_on(step, flow, clone, PyObject_GenericGetAttr(node, "successors"), triggers, graph, path)


cdef object memory_of(Store store):
    """A memory to hand on, which nobody has cloned for a node."""
    return store.memory if store.memory is not None else new_memory(store.shared, store.local)


async def _run_in_sequence(flow, Step step):
    """Run a node and all that it leads to, one after the other."""
    cdef list waiting = []
    cdef Step parent
    cdef Branch branch
    while True:
        await _run(flow, step)
        parent, step = step, step.following()
        if step is not None:
            waiting.append(parent)
            continue
        tree = parent.tree()
        while waiting:
            parent = <Step>waiting[len(waiting) - 1]
            branch = <Branch>parent.branches[parent.current]
            branch.trees.append(tree)
            step = parent.following()
            if step is not None:
                break
            waiting.pop()
            tree = parent.tree()
        if step is None:
            return tree


async def _run_gathered(flow, Step step):
    """Run a node, then all that it leads to at once."""
    await _run(flow, step)
    if step.branches:
        gathered = [_run_branch(flow, branch) for branch in step.branches]
        for action, trees in await asyncio.gather(*gathered):
            step.triggered[action] = trees
    return step.tree()


async def _run_branch(flow, Branch branch):
    """Run the nodes that a trigger leads to at once."""
    steps = [new_step(node, branch.graph, branch.path, branch.store) for node in branch.nodes]
    return (
        branch.action,
        await asyncio.gather(*[_run_gathered(flow, <Step>step) for step in steps]),
    )


cdef int layering_of(object flow) except -1:
    """How a flow runs what comes next; 0 if not by upstream's methods alone."""
    return 0 if hides_a_flow(flow.__dict__) else class_of(flow).layering


async def exec_runner(self, memory, prep_res):
    """Run a flow from its start.

    Replaces `brainyflow.Flow.exec_runner`.
    """
    cdef Step step
    exec_runner_tally.calls += 1
    layering = layering_of(self)
    if not layering:
        exec_runner_tally.fell_back("the flow has methods of its own")
        return await stock_exec_runner(self, memory, prep_res)
    self.visit_counts = {}
    step = new_step(self.start, None, None, kept(memory))
    if layering == GATHERED:
        return await _run_gathered(self, step)
    return await _run_in_sequence(self, step)


async def run_node(self, node, memory):
    """Run a node and all that it leads to.

    Replaces `brainyflow.Flow.run_node`.
    """
    cdef Step step
    run_node_tally.calls += 1
    layering = layering_of(self)
    if not layering:
        run_node_tally.fell_back("the flow has methods of its own")
        return await stock_run_node(self, node, memory)
    step = new_step(node, None, None, kept(memory))
    if layering == GATHERED:
        return await _run_gathered(self, step)
    return await _run_in_sequence(self, step)


cdef int bind(dict upstream) except -1:
    """Take what upstream's module defines."""
    global asyncio, DEFAULT_ACTION, upstream_globals
    bind_memory(upstream)
    bind_classes(upstream)
    asyncio, DEFAULT_ACTION, upstream_globals = (
        upstream["asyncio"], upstream["DEFAULT_ACTION"], upstream,
    )
    return 0


cdef int find_asking_line(object function) except -1:
    """Find the line of upstream's `run_node` that warnings name."""
    global upstream_file, asking_line
    code = function.__code__
    import dis  # slow to import, and of no use before

    upstream_file = code.co_filename
    for instruction in dis.get_instructions(code):
        if instruction.argval == "get_next_nodes" and instruction.positions.lineno:
            asking_line = instruction.positions.lineno
    return 0


def make_exec_runner(original, Tally tally not None, str variant):
    global stock_exec_runner, exec_runner_tally, stock_run_node
    bind(original.__globals__)
    stock_exec_runner, exec_runner_tally = original, tally
    if stock_run_node is None:
        stock_run_node = upstreams_run_node(original.__globals__["Flow"])
    return stands_in(original.__globals__["Flow"], "exec_runner", exec_runner)


def make_run_node(original, Tally tally not None, str variant):
    global stock_run_node, run_node_tally
    bind(original.__globals__)
    stock_run_node, run_node_tally = original, tally
    find_asking_line(original)
    return stands_in(original.__globals__["Flow"], "run_node", run_node)


cdef object upstreams_run_node(object flow_class):
    """Upstream's function, where it has not been replaced."""
    found = flow_class.__dict__["run_node"]
    find_asking_line(found)
    return found
