"""The run of a flow: each node with its own copy and its own memory, then what it triggered.

Upstream runs a node's successors inside the run of the node, five coroutines deep for each; here
the nodes that wait for their successors are on a list, so that neither the depth of Python's stack
nor the time of each step grows with the length of a chain. A run is a `Step`, which goes on without
a coroutine of its own as long as the node's coroutines come to their ends at once. Nothing is
awaited that upstream does not wait for, so the event loop gets its turns where it does upstream: in
a `ParallelFlow` there is an `asyncio.gather` for the triggers of a node, and in each of its tasks
one for the nodes that a trigger leads to, with a task for each.

A node's `prep`, `exec` and `post` are called here if its class is run by upstream's `Node` and sees
no more than itself; the `run` of all others is called as upstream calls it, on a node in a clone of
its graph. Errors, tries and fallbacks are upstream's `exec_runner`'s, unless there is one try and
no fallback.

Domain: flows that have upstream's methods, those of `Flow` or `ParallelFlow`; a node that finds
its successors by itself is upstream's with all that follows it.
"""

import warnings as _warnings

cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF
from fastgraph.adapters.brainyflow.memory cimport (
    bind_memory,
    cloned_local,
    is_flat,
    is_memory,
    mark,
    new_memory,
    stores_of,
)
from fastgraph.adapters.brainyflow.node_classes cimport (
    NodeClass,
    class_of,
    hides_a_flow,
)
from fastgraph.adapters.brainyflow.node_classes import stands_in
from fastgraph.adapters.brainyflow.node_copy cimport (
    Graph,
    Version,
    bind_copies,
    graph_copy,
    latest,
    new_graph,
    new_version,
    node_copy,
    own_dict,
    settled,
)
from fastgraph.kernels.tally cimport Tally

cdef extern from "Python.h":
    object PyObject_GenericGetDict(object instance, void *context)
    PyObject *PyDict_GetItemWithError(object entries, object key) except? NULL
    bint PyCoro_CheckExact(object thing)
    int PyIter_Send(object iterator, object value, PyObject **given) except -1

#: What `PyIter_Send` found; others are errors.
cdef int RETURNED = 0
cdef int SEQUENTIAL = 1, GATHERED = 2
#: What a run does next, once what it waits for is there.
cdef int PREPARING = 0, EXECUTING = 1, FOLLOWING_UP = 2, ENDING = 3, LEADING_ON = 4, LOGGED = 5

cdef object UNSET = object()
cdef list NOTHING = []
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
@cython.freelist(32)
cdef class Store:
    """A memory between two nodes: its stores, or as it is if they are not dicts.

    `own`: nobody else has the local store.
    """

    cdef object memory
    cdef object shared
    cdef object local
    cdef bint own


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
    store.shared, store.local, store.own = shared, cloned_local(local, data), True
    mark(<dict>shared, <dict>store.local)
    return store


cdef object for_node(Store store, bint last):
    """The memory of a node: a clone of the one it was reached with."""
    if store.memory is not None:
        return store.memory.clone()
    # Nobody notices a copy less of what nobody else has or comes for.
    if last and store.own and is_flat(store.local):
        return new_memory(store.shared, store.local)
    return new_memory(store.shared, cloned_local(store.local, None))


cdef object memory_of(Store store):
    """A memory to hand on, which nobody has cloned for a node."""
    return store.memory if store.memory is not None else new_memory(store.shared, store.local)


cdef object local_of(Store store):
    return store.local if store.memory is None else store.memory._local


@cython.final
@cython.freelist(32)
cdef class Branch:
    """Where a trigger leads: to which nodes, of which graph on which path, with which memory.

    `own`: no other run comes to the nodes.
    """

    cdef object action
    cdef object nodes
    cdef Graph graph
    cdef Version path
    cdef Store store
    cdef bint own
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
        last = self.next == len(self.waiting)
        step = new_step(
            self.waiting[self.next - 1], self.graph, self.path, self.store, self.own, last
        )
        if last:
            # What nobody asks for again is not kept for as long as all that follows runs.
            self.store = self.graph = self.path = self.waiting = self.nodes = None
            self.waiting, self.next = NOTHING, 0
        return step


cdef Branch new_branch(object action, Store store):
    branch = <Branch>Branch.__new__(Branch)
    branch.action, branch.store = action, store
    return branch


@cython.final
@cython.freelist(32)
cdef class Step:
    """The run of a node.

    `graph` is None for a node of a graph that is not our own. `own`: no other run comes to the
    node. `last`: nor to the memory it was reached with. `place`: the node of our own graph, of
    which `clone` runs. `next`: what is done next, once `pending` is done, if the run waits for
    anything. `tries_once`: what it waits for is the node's `exec`.
    """

    cdef object node
    cdef object node_class
    cdef object place
    cdef Graph graph
    cdef Version path
    cdef Store store
    cdef bint own
    cdef bint last
    cdef NodeClass kind
    cdef object clone
    cdef dict attributes
    cdef object memory
    cdef object prepared
    cdef object pending
    cdef int next
    cdef bint tries_once
    cdef object order
    cdef dict triggered
    cdef list branches
    cdef Py_ssize_t current
    cdef object result

    cdef Step following(self):
        """The next run among those that this one triggered, None after the last."""
        cdef Step step
        if self.branches is None:
            return None
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
        if self.branches is not None:
            for item in self.branches:
                branch = <Branch>item
                if branch.trees is not None:
                    self.log(branch.action, branch.trees)
        return {
            "order": self.order,
            "type": (
                self.node.__class__ if self.node_class is None else self.node_class
            ).__name__,
            "triggered": self.triggered,
        }

    cdef int log(self, object action, object trees) except -1:
        if self.triggered is None:
            self.triggered = {}
        self.triggered[action] = trees
        return 0

    cdef int let_go(self) except -1:
        """Keep nothing but what the log needs and what follows."""
        if self.place is self.node:
            # A node of our own graph, whose class nobody can change.
            self.node_class, self.node = type(self.node), None
        self.place = self.clone = self.memory = self.prepared = self.kind = None
        self.attributes = self.store = self.graph = self.path = None
        return 0


cdef Step new_step(
    object node, Graph graph, Version path, Store store, bint own, bint last
):
    step = <Step>Step.__new__(Step)
    step.node, step.graph, step.path, step.store = node, graph, path, store
    step.own, step.last = own, last
    return step


@cython.final
cdef class Begun:
    """A coroutine that has begun, to be awaited: what it gave first is handed on first."""

    cdef object coroutine
    cdef object first

    cdef object sent(self, object value):
        first, self.first = self.first, UNSET
        return self.coroutine.send(value) if first is UNSET else first

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return self.sent(None)

    def send(self, value):
        return self.sent(value)

    def throw(self, kind, value=None, traceback=None):
        self.first = UNSET
        error = kind if value is None else value
        return self.coroutine.throw(
            error if traceback is None else error.with_traceback(traceback)
        )

    def close(self):
        self.coroutine.close()


async def _awaited(awaitable):
    """Await what may be nothing to be awaited, which is then said where it is awaited."""
    return await awaitable


cdef object begun(Step step, object awaitable):
    """What an awaitable comes to, if it does so at once; otherwise the run waits for it."""
    cdef PyObject *given = NULL
    if not PyCoro_CheckExact(awaitable):
        step.pending = _awaited(awaitable)
        return None
    status = PyIter_Send(awaitable, None, &given)
    value = <object>given
    Py_DECREF(value)
    if status == RETURNED:
        return value
    waits = <Begun>Begun.__new__(Begun)
    waits.coroutine, waits.first = awaitable, value
    step.pending = waits
    return None


@cython.final
cdef class Run:
    """A flow that runs: how, and whether its attributes are what is in its dict."""

    cdef object flow
    cdef bint gathered
    cdef bint generic

    cdef object of(self, object node, object memory):
        """The coroutine that runs a node and all that it leads to."""
        step = new_step(node, None, None, kept(memory), True, False)
        return _run_gathered(self, step) if self.gathered else _run_in_sequence(self, step)


cdef Run run_of(object flow):
    """The run of a flow, None unless it is run by upstream's methods alone."""
    cdef NodeClass kind = class_of(flow)
    if kind.layering not in (SEQUENTIAL, GATHERED) or hides_a_flow(flow.__dict__):
        return None
    run = <Run>Run.__new__(Run)
    run.flow, run.gathered, run.generic = flow, kind.layering == GATHERED, kind.generic
    return run


cdef object attribute(object thing, dict attributes, str name):
    """An attribute of something of a generic class, whose dict is given."""
    cdef PyObject *held = PyDict_GetItemWithError(attributes, name)
    return getattr(thing, name) if held is NULL else <object>held


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


cdef int count_visit(Run run, object node, object order) except -1:
    cdef dict attributes
    cdef PyObject *before
    flow = run.flow
    if run.generic:
        attributes = PyObject_GenericGetDict(flow, NULL)
        counts = attribute(flow, attributes, "visit_counts")
        options = attribute(flow, attributes, "options")
        if type(counts) is dict and type(options) is dict:
            before = PyDict_GetItemWithError(counts, order)
            visits = 1 if before is NULL else <object>before + 1
            assert_visits(flow, node, order, visits, (<dict>options)["max_visits"])
            (<dict>counts)[order] = visits
            return 0
    visits = flow.visit_counts.get(order, 0) + 1
    assert_visits(flow, node, order, visits, flow.options["max_visits"])
    flow.visit_counts[order] = visits
    return 0


cdef int assert_visits(
    object flow, object node, object order, object visits, object most
) except -1:
    assert visits <= most, (
        f"Maximum cycle count ({flow.options['max_visits']}) reached for "
        f"{node.__class__.__name__}#{order}"
    )
    return 0


cdef object graph_clone(object node, NodeClass kind, Graph graph, Version path):
    """`node.clone()`, noting what is seen of the graph."""
    if not kind.clones or "clone" in node.__dict__:
        graph.alike = False
        return node.clone()
    return graph_copy(node, {}, graph, path)


cdef bint asks_others(object node, NodeClass kind, dict attributes) except -1:
    """Whether a node finds its successors by a method that is not upstream's."""
    if attributes is None:
        return not kind.finds_next or "get_next_nodes" in node.__dict__
    return not kind.finds_next or "get_next_nodes" in attributes


cdef int lead_on(
    Step step, Run run, object clone, object successors, Branch branch
) except -1:
    """Note where a trigger leads."""
    nodes = successors_for(clone, successors, branch.action)
    if nodes:
        branch.nodes = nodes
        if step.branches is None:
            step.branches = []
        step.branches.append(branch)
    elif len(clone._triggers) > 0:
        run.flow._triggers.append(
            {"action": branch.action, "forking_data": local_of(branch.store)}
        )
        step.log(branch.action, [])
    return 0


cdef int begin(Step step, Run run) except -1:
    """Run a node as far as it does not wait.

    Follows `brainyflow.Flow.run_node`, with what it finds out about the next nodes.
    """
    cdef NodeClass kind
    cdef Graph graph = step.graph
    cdef Version path = step.path
    cdef dict attributes
    node = step.node
    kind = step.kind = class_of(node)
    attributes = own_dict(node, kind)
    if attributes is None:
        step.order = node._node_order
    else:
        step.order = attribute(node, attributes, "_node_order")
    if not kind.clones and not kind.finds_next:
        # Not upstream's node at all; it says by itself what it lacks.
        return leave(step, run, node)
    if asks_others(node, kind, attributes):
        if path is not None:
            node = graph_clone(node, kind, new_graph(), settled(path, graph))
        return leave(step, run, node)
    count_visit(run, node, step.order)
    if graph is not None and graph.loops:
        path = step.path = settled(path, graph)
    if graph is not None and graph.alike and kind.own_view:
        step.place = node
        if step.own and graph.tree:
            clone = node
        else:
            step.own = False
            clone = node_copy(latest(node, path) if node in graph.met else node)
    else:
        graph = step.graph = new_graph()
        graph.unseen = kind.own_view
        clone = step.place = graph_clone(node, kind, graph, path)
        step.path, step.own = None, graph.tree
        if not kind.own_view:
            graph.alike = False
    step.clone = clone
    step.memory = for_node(step.store, step.last)
    step.store = None
    if graph.alike and kind.is_node:
        step.attributes = PyObject_GenericGetDict(clone, NULL)
        step.attributes["_triggers"] = []
        step.next = PREPARING
        return go_on(step, run, None)
    step.next = LEADING_ON
    triggers = begun(step, clone.run(step.memory, True))
    return 0 if step.pending is not None else go_on(step, run, triggers)


cdef int leave(Step step, Run run, object node) except -1:
    """Leave a node and all that it leads to to upstream's `run_node`."""
    step.next = LOGGED
    tree = begun(step, stock_run_node(run.flow, node, memory_of(step.store)))
    return 0 if step.pending is not None else go_on(step, run, tree)


cdef NodeClass known(Step step):
    """What is known of a node's class, which its methods may have changed."""
    if not step.kind.holds():
        step.kind = class_of(step.clone)
    return step.kind


cdef int go_on(Step step, Run run, object done) except -1:
    """Go on with a run as far as it does not wait, with what it waited for.

    Follows `brainyflow.BaseNode.run`, and of `brainyflow.Node.exec_runner` one try.
    """
    cdef NodeClass kind
    clone, memory = step.clone, step.memory
    if step.next == PREPARING:
        kind = known(step)
        step.next = EXECUTING
        if kind.prep is not None:
            done = begun(
                step, kind.prep(clone, memory) if kind.own_view else clone.prep(memory)
            )
            if step.pending is not None:
                return 0
    if step.next == EXECUTING:
        kind = known(step)
        step.prepared, step.next = done, FOLLOWING_UP
        retries = attribute(clone, step.attributes, "max_retries")
        if kind.is_node and kind.raises_at_once and type(retries) is int and retries == 1:
            done = tried_once(step, kind)
        else:
            done = begun(step, clone.exec_runner(memory, done))
        if step.pending is not None:
            return 0
    if step.next == FOLLOWING_UP:
        kind = known(step)
        prepared, step.prepared, step.next = step.prepared, None, ENDING
        if kind.post is not None:
            step.attributes["_locked"] = False
            begun(
                step,
                kind.post(clone, memory, prepared, done)
                if kind.own_view else clone.post(memory, prepared, done),
            )
            if step.pending is not None:
                return 0
    if step.next == ENDING:
        step.attributes["_locked"] = True
        lead_on_in_graph(step, run, triggers_of(step))
    elif step.next == LOGGED:
        step.result = done
    elif step.graph.alike:
        lead_on_in_graph(
            step, run, [new_branch(action, kept(memory)) for action, memory in done]
        )
    else:
        lead_on_outside(step, run, done)
    step.let_go()
    return 0


cdef object tried_once(Step step, NodeClass kind):
    """What a node's `exec` comes to."""
    step.attributes["cur_retry"] = 0
    if kind.exec is None:
        return None
    prepared = step.prepared
    try:
        done = begun(
            step, kind.exec(step.clone, prepared) if kind.own_view else step.clone.exec(prepared)
        )
    except Exception as error:
        tried(error)
        raise
    step.tries_once = step.pending is not None
    return done


cdef int tried(object error) except -1:
    if not hasattr(error, "retry_count"):
        error.retry_count = 1
    return 0


cdef list triggers_of(Step step):
    """Where the triggers of a node lead that sees only itself, its memory cloned for each.

    Follows `brainyflow.BaseNode.list_triggers`.
    """
    triggers = attribute(step.clone, step.attributes, "_triggers")
    if not triggers:
        return [new_branch(DEFAULT_ACTION, forked(step.memory, None))]
    return [
        new_branch(each["action"], forked(step.memory, each["forking_data"])) for each in triggers
    ]


cdef int lead_on_in_graph(Step step, Run run, list branches) except -1:
    """Note which nodes of our own graph are next."""
    cdef Branch branch
    cdef Graph graph = step.graph
    cdef Version path = None
    place = step.place
    if graph.loops:
        graph.met.add(place)
        path = new_version(place, step.clone, step.path)
    # The node of the graph has the successors that the copy cannot have changed.
    successors = attribute(place, PyObject_GenericGetDict(place, NULL), "successors")
    for item in branches:
        branch = <Branch>item
        branch.graph, branch.path, branch.own = graph, path, step.own
        lead_on(step, run, step.clone, successors, branch)
    if step.own and step.branches is not None and len(step.branches) > 1:
        share(step.branches)
    return 0


cdef int share(list branches) except -1:
    """Take the nodes for nobody's own that several triggers lead to."""
    cdef Branch branch, before
    cdef dict led = {}
    for item in branches:
        branch = <Branch>item
        before = led.setdefault(id(branch.nodes), branch)
        if before is not branch:
            before.own = branch.own = False
    return 0


cdef int lead_on_outside(Step step, Run run, object triggers) except -1:
    """Note which nodes are next of a graph that its node may have changed."""
    clone = step.clone
    for action, memory in triggers:
        lead_on(step, run, clone, clone.successors, new_branch(action, kept(memory)))
    return 0


async def _wait(Run run, Step step):
    """Go on with a run that waits, until it does so no more."""
    while step.pending is not None:
        pending, step.pending = step.pending, None
        tries_once, step.tries_once = step.tries_once, False
        try:
            done = await pending
        except Exception as error:
            if tries_once:
                tried(error)
            raise
        pending = None
        go_on(step, run, done)


async def _run_in_sequence(Run run, Step step):
    """Run a node and all that it leads to, one after the other."""
    cdef list waiting = []
    cdef Step parent
    cdef Branch branch
    while True:
        begin(step, run)
        if step.pending is not None:
            await _wait(run, step)
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


async def _run_gathered(Run run, Step step):
    """Run a node, then all that it leads to at once."""
    begin(step, run)
    if step.pending is not None:
        await _wait(run, step)
    if step.branches is not None:
        gathered = [_run_branch(run, <Branch>branch) for branch in step.branches]
        step.branches = None
        for action, trees in await asyncio.gather(*gathered):
            step.log(action, trees)
    return step.tree()


async def _run_branch(Run run, Branch branch):
    """Run the nodes that a trigger leads to at once."""
    nodes = list(branch.nodes)
    return (
        branch.action,
        await asyncio.gather(*[
            _run_gathered(
                run,
                new_step(
                    node, branch.graph, branch.path, branch.store, branch.own, len(nodes) == 1
                ),
            )
            for node in nodes
        ]),
    )


async def exec_runner(self, memory, prep_res):
    """Run a flow from its start.

    Replaces `brainyflow.Flow.exec_runner`.
    """
    exec_runner_tally.calls += 1
    run = run_of(self)
    if run is None:
        exec_runner_tally.fell_back("the flow has methods of its own")
        return await stock_exec_runner(self, memory, prep_res)
    self.visit_counts = {}
    return await run.of(self.start, memory)


async def run_node(self, node, memory):
    """Run a node and all that it leads to.

    Replaces `brainyflow.Flow.run_node`.
    """
    run_node_tally.calls += 1
    run = run_of(self)
    if run is None:
        run_node_tally.fell_back("the flow has methods of its own")
        return await stock_run_node(self, node, memory)
    return await run.of(node, memory)


cdef int bind(dict upstream) except -1:
    """Take what upstream's module defines."""
    global asyncio, DEFAULT_ACTION, upstream_globals
    bind_memory(upstream)
    bind_copies(upstream)
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
