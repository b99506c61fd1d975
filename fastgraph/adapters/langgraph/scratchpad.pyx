"""The scratchpad of a task: its counters and the values that its interrupts resume with.

Domain: pending writes in a list. They are looked through once instead of twice, and the frozen
dataclass is filled slot by slot instead of through seven calls of `object.__setattr__`.
"""

from langgraph._internal._constants import NULL_TASK_ID as _NULL_TASK_ID
from langgraph._internal._constants import RESUME as _RESUME
from langgraph._internal._scratchpad import PregelScratchpad as _PregelScratchpad
from langgraph.pregel import _algo

from fastgraph.kernels.record cimport Record
from fastgraph.kernels.tally cimport Tally

cdef object NULL_TASK_ID = _NULL_TASK_ID
cdef object RESUME = _RESUME
# Not in releases where one id per task served all of its interrupts.
cdef object interrupt_id = getattr(_algo, "_interrupt_id", None)

cdef Record scratchpads = Record(_PregelScratchpad)

cdef object stock
cdef Tally tally_
cdef bint id_per_interrupt


cdef class AtomicCounter:
    """Counts its calls from 0. One step under the GIL, so threads of one task may share it."""

    cdef unsigned long long count

    def __call__(self):
        count = self.count
        self.count = count + 1
        return count


cdef class NullResume:
    """Reads, and on demand uses up, the resume value that no task is named for."""

    cdef list pending_writes
    cdef object write
    cdef object parent

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        # As a function, which is what upstream has here: the answer is used up for all copies.
        return self

    def __call__(self, consume=False):
        if self.write is None:
            return None if self.parent is None else self.parent.get_null_resume(consume)
        if consume:
            try:
                self.pending_writes.remove(self.write)
            except ValueError:  # another task was faster
                return None
        return self.write[2]


# Of tasks without a parent, in a superstep that nothing was written to before.
cdef NullResume NO_RESUME = NullResume.__new__(NullResume)


cdef tuple resume_writes(list pending_writes, object task_id):
    """The first resume write for no task in particular, and the first for `task_id`."""
    cdef object for_any = None, for_task = None
    for write in pending_writes:
        if write[1] != RESUME:
            continue
        if for_any is None and write[0] == NULL_TASK_ID:
            for_any = write
        if for_task is None and write[0] == task_id:
            for_task = write
        if for_any is not None and for_task is not None:
            break
    return for_any, for_task


cdef int add_mapped(object resume, object namespace, object resume_map) except -1:
    """The value that the caller gave for the task's next interrupt by its id."""
    if not id_per_interrupt:
        if namespace in resume_map:
            resume.append(resume_map[namespace])
        return 0
    # Both ids are made before either is looked up, as upstream does.
    next_id = interrupt_id(namespace, len(resume))
    first_id = interrupt_id(namespace, 0)
    if next_id in resume_map:
        resume.append(resume_map[next_id])
    elif first_id in resume_map:
        resume.append(resume_map[first_id])
    return 0


def _scratchpad(
    parent_scratchpad, pending_writes, task_id, task_checkpoint_ns, resume_map, step, stop
):
    """The scratchpad for one task.

    Replaces `langgraph.pregel._algo._scratchpad`. Before LangGraph 1.2.20 the fourth argument is
    the hash of the task's namespace, and interrupts of one task share one id.
    """
    cdef NullResume null_resume
    cdef object resume = []

    tally_.calls += 1
    if type(pending_writes) is not list:
        tally_.fell_back("pending writes are not a list")
        return stock(
            parent_scratchpad, pending_writes, task_id, task_checkpoint_ns, resume_map, step, stop
        )
    null_resume = NO_RESUME
    if pending_writes or parent_scratchpad is not None:
        null_resume = NullResume.__new__(NullResume)
        null_resume.pending_writes = pending_writes
        null_resume.parent = parent_scratchpad
    if pending_writes:
        null_resume.write, for_task = resume_writes(pending_writes, task_id)
        if for_task is not None:
            # A list is kept as it is: what the task answers next is added to the stored one.
            value = for_task[2]
            resume = value if isinstance(value, list) else [value]
        if resume_map:
            add_mapped(resume, task_checkpoint_ns, resume_map)

    return scratchpads.make(
        (
            step,
            stop,
            AtomicCounter.__new__(AtomicCounter),
            AtomicCounter.__new__(AtomicCounter),
            null_resume,
            resume,
            AtomicCounter.__new__(AtomicCounter),
        )
    )


def make_scratchpad(original, Tally tally not None, str variant not None):
    """`variant`: "id per interrupt" or "id per task"."""
    global stock, tally_, id_per_interrupt
    stock, tally_, id_per_interrupt = original, tally, variant == "id per interrupt"
    return _scratchpad
