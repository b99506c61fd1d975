"""Task preparation: from a triggered node or a pending `Send` to a task that can run.

Domain: tasks for execution, pulled by a node's triggers or pushed by a `Send` of this graph, on
checkpoints that hash task ids with XXH3 (all since LangGraph 0.4), without a cache policy. Calls of
the functional API, tasks for display and everything unusual are upstream's.

A task's config, runtime and execution info are each made once, in the order of upstream's steps:
ids, scratchpad, input (which may run a mapper of the user's), metadata, callbacks, config.
"""

import collections
import functools
import sys

from langgraph._internal import _constants
from langgraph._internal._typing import MISSING as _MISSING
from langgraph.channels.topic import Topic as _Topic
from langgraph.pregel import _algo
from langgraph.runtime import DEFAULT_RUNTIME as _DEFAULT_RUNTIME
from langgraph.types import PregelExecutableTask as _PregelExecutableTask
from langgraph.types import Send as _Send

from fastgraph.adapters.langgraph.channels cimport ChannelTable, topic_list
from fastgraph.adapters.langgraph.config cimport ConfigSkeleton, merges_configs
from fastgraph.adapters.langgraph.runtime cimport new_info, with_changes
from fastgraph.adapters.langgraph.task_ids cimport hashed_id
from fastgraph.kernels.record cimport Record
from fastgraph.kernels.slots cimport Slot
from fastgraph.kernels.tally cimport Tally

cdef object MISSING = _MISSING
cdef object DEFAULT_RUNTIME = _DEFAULT_RUNTIME
cdef object Topic = _Topic
cdef object Send = _Send
cdef object PregelTaskWrites = _algo.PregelTaskWrites
cdef object hexdigest = _algo.xxh3_128_hexdigest
cdef object deque = collections.deque
cdef object new_tuple = tuple.__new__
cdef object partial = functools.partial
cdef bint has_notes = sys.version_info >= (3, 11)

cdef str PULL = _constants.PULL
cdef str PUSH = _constants.PUSH
cdef str TASKS = _constants.TASKS
cdef str CONF = _constants.CONF
cdef str NS_SEP = _constants.NS_SEP
cdef str NS_END = _constants.NS_END
cdef str PREVIOUS = _constants.PREVIOUS
cdef str TASK_ID = _constants.CONFIG_KEY_TASK_ID
cdef str SEND = _constants.CONFIG_KEY_SEND
cdef str READ = _constants.CONFIG_KEY_READ
cdef str CHECKPOINTER = _constants.CONFIG_KEY_CHECKPOINTER
cdef str CHECKPOINT_MAP = _constants.CONFIG_KEY_CHECKPOINT_MAP
cdef str CHECKPOINT_ID = _constants.CONFIG_KEY_CHECKPOINT_ID
cdef str CHECKPOINT_NS = _constants.CONFIG_KEY_CHECKPOINT_NS
cdef str SCRATCHPAD = _constants.CONFIG_KEY_SCRATCHPAD
cdef str RUNTIME = _constants.CONFIG_KEY_RUNTIME
cdef str RESUME_MAP = _constants.CONFIG_KEY_RESUME_MAP
cdef str THREAD_ID = _constants.CONFIG_KEY_THREAD_ID

# A task's own configurable values, in the order in which upstream adds them to the run's.
cdef tuple OWN_KEYS = (
    TASK_ID,
    SEND,
    READ,
    CHECKPOINTER,
    CHECKPOINT_MAP,
    CHECKPOINT_ID,
    CHECKPOINT_NS,
    SCRATCHPAD,
    RUNTIME,
)
cdef tuple PUSH_TRIGGER = (PUSH,)
cdef dict NO_KEYWORDS = {}
cdef Record executables = Record(_PregelExecutableTask)


cdef Slot field(str name):
    """A field of tasks; where they have no slots, on Python 3.10, one of no task."""
    try:
        return Slot(_PregelExecutableTask, name)
    except TypeError:
        return Slot(type("Unslotted", (), {"__slots__": (name,)}), name)


cdef Slot id_slot = field("id")
cdef Slot name_slot = field("name")
cdef Slot path_slot = field("path")
cdef Slot triggers_slot = field("triggers")
cdef Slot writes_slot = field("writes")
cdef Slot config_slot = field("config")

cdef object stock
cdef Tally tally_
cdef bint id_per_interrupt


cdef class RunPlan:
    """What follows from a run's config for every task of the run, worked out once.

    A loop makes a new config wherever it changes one, but for entries that it drops from the
    configurable values, which the number of them tells.
    """

    @staticmethod
    cdef RunPlan of(object config, object manager):
        cdef RunPlan plan = RunPlan.__new__(RunPlan)
        cdef dict own
        plan.config = config
        plan.manager = manager
        plan.configurable = config[CONF]
        plan.size = len(plan.configurable)
        plan.runtime = plan.configurable.get(RUNTIME, DEFAULT_RUNTIME)
        plan.parent_ns = plan.configurable.get(CHECKPOINT_NS, "")
        run_id = config.get("run_id")
        plan.run_id = str(run_id) if run_id else None
        if manager and merges_configs(_algo.merge_configs):
            plan.skeleton = ConfigSkeleton.of(config)
        own = {**plan.configurable}
        for key in OWN_KEYS:
            # In this order; those that the run's config has, too, stay where they are.
            if key not in own:
                own[key] = None
        plan.own_configurable = own
        return plan

    cdef bint fits(self, object config, object manager) except -1:
        return (
            self.config is config
            and self.manager is manager
            and config[CONF] is self.configurable
            and len(self.configurable) == self.size
        )


cdef class Superstep:
    """What all tasks of one superstep have in common."""

    cdef int begin(self) except -1:
        """Have the run's plan at hand, once a task is made and not before."""
        cdef ChannelTable table
        if self.plan is not None:
            return 0
        if type(self.channels) is not ChannelTable:
            self.plan = RunPlan.of(self.config, self.manager)
            return 0
        table = self.channels
        self.plan = table.plan
        if self.plan is None or not self.plan.fits(self.config, self.manager):
            self.plan = table.plan = RunPlan.of(self.config, self.manager)
        return 0


cdef str outside(object task_path, Superstep superstep):
    """Why upstream has to prepare the task; None inside the domain."""
    if not superstep.for_execution:
        return "a task for display"
    if type(task_path) is not tuple or type(superstep.checkpoint) is not dict:
        return "path or checkpoint of another type"
    kind = task_path[0]
    if kind == PUSH:
        if len(task_path) != 2:
            return "a call of the functional API"
        if type(superstep.channels.get(TASKS)) is not Topic:
            return "the tasks channel is not a Topic"
    elif kind != PULL:
        return "neither pulled nor pushed"
    if superstep.checkpoint["v"] <= 1:
        return "task ids of an old checkpoint"
    config = superstep.config
    if type(config) is not dict or type((<dict>config).get(CONF)) is not dict:
        return "a config without configurable values"
    return None


cdef object scratchpad_for(Superstep superstep, str task_id, str namespace):
    """Through the name in upstream's module, where the compiled one is, or somebody's wrapper."""
    configurable = superstep.plan.configurable
    return _algo._scratchpad(
        configurable.get(SCRATCHPAD),
        superstep.pending_writes,
        task_id,
        namespace if id_per_interrupt else hexdigest(namespace.encode()),
        configurable.get(RESUME_MAP),
        superstep.step,
        superstep.stop,
    )


cdef object runtime_for(Superstep superstep, str task_id, str namespace):
    """The runtime with what is this task's own."""
    cdef RunPlan plan = superstep.plan
    checkpoint = superstep.checkpoint
    return with_changes(
        plan.runtime,
        {
            "previous": checkpoint["channel_values"].get(PREVIOUS),
            "store": superstep.store,
            "execution_info": new_info(
                checkpoint["id"],
                namespace,
                task_id,
                plan.configurable.get(THREAD_ID),
                plan.run_id,
            ),
        },
    )


cdef object config_for(
    Superstep superstep, object tags, object name, dict metadata, dict configurable
):
    """`patch_config(merge_configs(config, own), ...)`; what is merged is a copy already."""
    cdef object callbacks = None
    cdef object config
    if superstep.manager:
        callbacks = superstep.manager.get_child(f"graph:step:{superstep.step}")
    if callbacks is not None and superstep.plan.skeleton is not None:
        config = superstep.plan.skeleton.own(metadata, tags, callbacks, configurable)
    else:
        config = _algo.merge_configs(superstep.config, {"metadata": metadata, "tags": tags})
        if callbacks is not None:
            # The name and id of the run were for the callbacks that are replaced here.
            config["callbacks"] = callbacks
            config.pop("run_name", None)
            config.pop("run_id", None)
        config[CONF] = configurable
    if name is not None:
        config["run_name"] = name
    return config


cdef dict configurable_for(
    Superstep superstep,
    str task_id,
    str namespace,
    object writes,
    object read,
    object scratchpad,
    object runtime,
):
    """The run's configurable values with those that are the task's own."""
    cdef RunPlan plan = superstep.plan
    cdef dict configurable = plan.own_configurable.copy()
    cdef dict before = plan.configurable
    configurable[TASK_ID] = task_id
    configurable[SEND] = writes.extend
    configurable[READ] = read
    configurable[CHECKPOINTER] = superstep.checkpointer or before.get(CHECKPOINTER)
    configurable[CHECKPOINT_MAP] = {
        **before.get(CHECKPOINT_MAP, {}), plan.parent_ns: superstep.checkpoint["id"]
    }
    configurable[CHECKPOINT_ID] = None
    configurable[CHECKPOINT_NS] = namespace
    configurable[SCRATCHPAD] = scratchpad
    configurable[RUNTIME] = runtime
    return configurable


cdef object executable(
    Superstep superstep,
    object node,
    object runnable,
    object name,
    object value,
    tuple path,
    object triggers,
    str task_id,
    str namespace,
    dict metadata,
    object scratchpad,
    object timeout,
):
    """The task, with its metadata, runtime, read function and config."""
    node_metadata = node.metadata
    if node_metadata:
        metadata.update(node_metadata)
    writes = deque()
    runtime = runtime_for(superstep, task_id, namespace)
    read = partial(
        _algo.local_read,
        scratchpad,
        superstep.channels,
        superstep.managed,
        new_tuple(PregelTaskWrites, (path, name, writes, triggers)),
    )
    read.__setstate__((read.func, read.args, NO_KEYWORDS, None))
    configurable = configurable_for(
        superstep, task_id, namespace, writes, read, scratchpad, runtime
    )
    return executables.make(
        (
            name,
            value,
            runnable,
            writes,
            config_for(superstep, node.tags, name, metadata, configurable),
            triggers,
            node.retry_policy or superstep.retry_policy,
            None,
            task_id,
            path,
            node.flat_writers,
            node.subgraphs,
            timeout,
        )
    )


cdef dict metadata_for(
    Superstep superstep, object name, object triggers, tuple path, str namespace
):
    return {
        "langgraph_step": superstep.step,
        "langgraph_node": name,
        "langgraph_triggers": triggers,
        "langgraph_path": path,
        "langgraph_checkpoint_ns": namespace,
    }


cdef object pulled_input(Superstep superstep, object node, object scratchpad, tuple path):
    try:
        return _algo._proc_input(
            node,
            superstep.managed,
            superstep.channels,
            for_execution=True,
            input_cache=superstep.input_cache,
            scratchpad=scratchpad,
        )
    except Exception as error:
        if has_notes:
            error.add_note(f"Before task with name '{path[1]}' and path '{path}'")
        raise


cdef bint is_triggered(Superstep superstep, object node, object name) except -1:
    return superstep.null_version is not None and _algo._triggers(
        superstep.channels,
        superstep.checkpoint["channel_versions"],
        superstep.checkpoint["versions_seen"].get(name),
        superstep.null_version,
        node,
    )


cdef object pulled(Superstep superstep, object node, tuple path, bint known_triggered):
    """The task of a node, or None if it is not triggered or has no input."""
    cdef object name = path[1]
    if not known_triggered and not is_triggered(superstep, node, name):
        return None
    superstep.begin()
    triggers = tuple(sorted(node.triggers))
    parent_ns = superstep.plan.parent_ns
    node_ns = f"{parent_ns}{NS_SEP}{name}" if parent_ns else name
    task_id = hashed_id(
        superstep.checkpoint_id_bytes,
        f"{node_ns}{superstep.step}{name}{PULL}" + "".join(triggers),
    )
    namespace = f"{node_ns}{NS_END}{task_id}"
    scratchpad = scratchpad_for(superstep, task_id, namespace)
    value = pulled_input(superstep, node, scratchpad, path)
    if value is MISSING:
        return None
    metadata = metadata_for(superstep, name, triggers, path, namespace)
    runnable = node.node
    if not runnable:
        return None
    return executable(
        superstep, node, runnable, name, value, path, triggers, task_id, namespace, metadata,
        scratchpad, node.timeout,
    )


cdef object pushed(Superstep superstep, object packet, object node, object index, tuple path):
    """The task of a pending `Send`; None if its node does nothing."""
    cdef object name = packet.node
    runnable = node.node
    if runnable is None:
        return None
    superstep.begin()
    parent_ns = superstep.plan.parent_ns
    node_ns = f"{parent_ns}{NS_SEP}{name}" if parent_ns else name
    task_id = hashed_id(
        superstep.checkpoint_id_bytes, f"{node_ns}{superstep.step}{name}{PUSH}{index}"
    )
    namespace = f"{node_ns}:{task_id}"
    # False: no call is made, so interrupts of this task are returned from it.
    translated = (*path, False)
    metadata = metadata_for(superstep, name, PUSH_TRIGGER, translated, namespace)
    scratchpad = scratchpad_for(superstep, task_id, namespace)
    timeout = packet.timeout
    return executable(
        superstep, node, runnable, name, packet.arg, translated, PUSH_TRIGGER, task_id, namespace,
        metadata, scratchpad, timeout if timeout is not None else node.timeout,
    )


cdef object pending_send(object channel, object index):
    """The `Send` at `index` of the tasks channel, without the copy that its `get` makes."""
    cdef object sends = topic_list(channel)
    if type(sends) is not list or type(index) is not int or not 0 <= index < len(sends):
        return None
    packet = sends[index]
    return packet if type(packet) is Send else None


cdef object fall_back(Superstep superstep, object task_path, object checksum, str reason):
    tally_.fell_back(reason)
    return stock(
        task_path, checksum, checkpoint=superstep.checkpoint,
        checkpoint_id_bytes=superstep.checkpoint_id_bytes,
        checkpoint_null_version=superstep.null_version, pending_writes=superstep.pending_writes,
        processes=superstep.processes, channels=superstep.channels, managed=superstep.managed,
        config=superstep.config, step=superstep.step, stop=superstep.stop,
        for_execution=superstep.for_execution, store=superstep.store,
        checkpointer=superstep.checkpointer, manager=superstep.manager,
        input_cache=superstep.input_cache, cache_policy=superstep.cache_policy,
        retry_policy=superstep.retry_policy,
    )


cdef object prepared(Superstep superstep, object task_path, bint known_triggered):
    """The task at `task_path`, or None if there is nothing to run there."""
    cdef object packet = None
    cdef object node
    cdef str reason

    tally_.calls += 1
    reason = outside(task_path, superstep)
    if reason is not None:
        return fall_back(superstep, task_path, None, reason)
    if task_path[0] == PULL:
        node = superstep.processes.get(task_path[1])
        if node is None:
            return None
    else:
        packet = pending_send(superstep.channels[TASKS], task_path[1])
        node = superstep.processes.get(packet.node) if packet is not None else None
        if node is None:
            return fall_back(superstep, task_path, None, "nothing to push")  # upstream logs it
    if superstep.cache_policy or node.cache_policy:
        return fall_back(superstep, task_path, None, "a cache policy")
    path = task_path if len(task_path) < 4 else task_path[:3]
    if packet is None:
        return pulled(superstep, node, path, known_triggered)
    return pushed(superstep, packet, node, task_path[1], path)


cdef bint prepares_tasks(object name) except -1:
    """Whether `name`, as upstream's module has it, is the function of this module."""
    return name is prepare_single_task


def prepare_single_task(
    task_path,
    task_id_checksum,
    *,
    checkpoint,
    checkpoint_id_bytes,
    checkpoint_null_version,
    pending_writes,
    processes,
    channels,
    managed,
    config,
    step,
    stop,
    for_execution,
    store=None,
    checkpointer=None,
    manager=None,
    input_cache=None,
    cache_policy=None,
    retry_policy=(),
):
    """The task at `task_path`, or None if there is nothing to run there.

    Replaces `langgraph.pregel._algo.prepare_single_task`.
    """
    cdef Superstep superstep = Superstep.__new__(Superstep)
    superstep.checkpoint = checkpoint
    superstep.checkpoint_id_bytes = checkpoint_id_bytes
    superstep.null_version = checkpoint_null_version
    superstep.pending_writes = pending_writes
    superstep.processes = processes
    superstep.channels = channels
    superstep.managed = managed
    superstep.config = config
    superstep.step = step
    superstep.stop = stop
    superstep.for_execution = bool(for_execution)
    superstep.store = store
    superstep.checkpointer = checkpointer
    superstep.manager = manager
    superstep.input_cache = input_cache
    superstep.cache_policy = cache_policy
    superstep.retry_policy = retry_policy
    if task_id_checksum is not None:
        tally_.calls += 1
        return fall_back(superstep, task_path, task_id_checksum, "a task id to be checked")
    return prepared(superstep, task_path, False)


def make_prepare_single_task(original, Tally tally not None, str variant not None):
    """`variant`: "id per interrupt" or "id per task", what the scratchpad is given."""
    global stock, tally_, id_per_interrupt
    stock, tally_, id_per_interrupt = original, tally, variant == "id per interrupt"
    return prepare_single_task
