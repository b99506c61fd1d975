"""The table: which of LangGraph's functions are replaced, where they are bound, and what by.

To find what replaces an upstream function, search for its name here. A replacement is put in
place only where the installed sources are ones that it was proven against; those are listed as
fingerprints (see `fastgraph.patching.fingerprint`), and `tools/fingerprints.py` tells which
releases have which.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

from fastgraph.adapters.target import ABSENT, BindingSite, Source, Target, Variant

#: Source label -> the fingerprints of it that a replacement was proven against.
Proven: TypeAlias = Mapping[str, set[str]]

FRAMEWORK = "langgraph"

ALGO = "langgraph.pregel._algo"
CHECKPOINT = "langgraph.pregel._checkpoint"
LOOP = "langgraph.pregel._loop"
MAIN = "langgraph.pregel.main"
DRAW = "langgraph.pregel._draw"
RETRY = "langgraph.pregel._retry"
UTILS = "langgraph.pregel._utils"
RUNNER = "langgraph.pregel._runner"
EXECUTOR = "langgraph.pregel._executor"
FUTURE = "langgraph._internal._future"
QUEUE = "langgraph._internal._queue"
READ = "langgraph.pregel._read"
WRITE = "langgraph.pregel._write"
STATE = "langgraph.graph.state"
CONFIG = "langgraph._internal._config"
RUNNABLE = "langgraph._internal._runnable"
SERDE = "langgraph.checkpoint.serde"
JSONPLUS = f"{SERDE}.jsonplus"
CORE_MESSAGES = "langchain_core.messages"
CORE_CONFIG = "langchain_core.runnables.config"
CORE_CALLBACKS = "langchain_core.callbacks.base"
CORE_MANAGER = "langchain_core.callbacks.manager"
CORE_RUNNABLES = "langchain_core.runnables.base"
CORE_SIGNATURE = "langchain_core.utils._signature"
CHAT_MODELS = "langchain_core.language_models.chat_models"
TOOLS = "langchain_core.tools.base"
STRUCTURED = "langchain_core.tools.structured"
SIMPLE = "langchain_core.tools.simple"
MEMORY = "langgraph.checkpoint.memory"
SQLITE = "langgraph.checkpoint.sqlite"
ASQLITE = "langgraph.checkpoint.sqlite.aio"
POSTGRES = "langgraph.checkpoint.postgres"
APOSTGRES = "langgraph.checkpoint.postgres.aio"
BASE_POSTGRES = "langgraph.checkpoint.postgres.base"
PACKAGE = "fastgraph.adapters.langgraph"

#: The channels whose methods are reproduced; any other is used through its own methods.
CHANNELS: Proven = {
    "langgraph.channels.base:BaseChannel": {"28c0e5aca948cb86"},
    "langgraph.channels.last_value:LastValue": {"b1968c162dfc0735"},
    "langgraph.channels.last_value:LastValueAfterFinish": {"531d24c02a569d3b"},
    "langgraph.channels.ephemeral_value:EphemeralValue": {"2b0afd3c288dc161"},
    "langgraph.channels.any_value:AnyValue": {"467d352a0c12b881"},
    "langgraph.channels.untracked_value:UntrackedValue": {"408b8cd57f0e6229"},
    "langgraph.channels.topic:Topic": {"4118dc44e70006cf"},
    "langgraph.channels.named_barrier_value:NamedBarrierValue": {"88631285ae029572"},
    "langgraph.channels.named_barrier_value:NamedBarrierValueAfterFinish": {"11ae4920a0f9db4c"},
    "langgraph.channels.binop:BinaryOperatorAggregate": {
        "638c2a4026b5857f",
        "3fe16764723990e6",
        "dbab80dcf536f754",
        "389fdbf549b34d2b",
    },
    "langgraph.channels.delta:DeltaChannel": {
        ABSENT,
        "a9fc684ce355ffea",
        "22d806563527bdb2",
        "3cf4edea7f1891ae",
    },
}

EMITS: Proven = {
    f"{LOOP}:PregelLoop._emit": {"ceb2fb8748c497c0"},
    "langgraph.pregel._io:map_output_values": {"e93a0b2fcfc130b7"},
}
LOOPS: Proven = {f"{LOOP}:PregelLoop._reapplies_pending_writes": {"5261e6be87de7416"}, **EMITS}
CHECKPOINTS: Proven = {
    "langgraph.checkpoint.base.id:uuid6": {"c6cd51c241578146"},
    "langgraph.checkpoint.base.id:UUID": {"cd4d8b79f4c91b57"},
}
NULL_VERSION: Proven = {f"{ALGO}:checkpoint_null_version": {"6997a276f337eddf"}}
TRIGGERS: Proven = {f"{ALGO}:_triggers": {"b715de73e93bb1ce"}}
SCRATCHPAD: Proven = {
    "langgraph._internal._scratchpad:PregelScratchpad": {"405c10d7cfce535a"},
    f"{ALGO}:LazyAtomicCounter": {"a1398d80246e4e8d"},
}
READS: Proven = {
    "langgraph.pregel._io:read_channel": {"824c51056130d9a2"},
    "langgraph.pregel._io:read_channels": {"845965f6f5a55a0a"},
}
RUNTIMES: Proven = {
    "langgraph.runtime:Runtime": {"53c7c3af0f8d7529", "9ea646a144031d60"},
    "langgraph.runtime:ExecutionInfo": {"d99a1044435b8bec"},
}
PATCH_CONFIG: Proven = {f"{CONFIG}:patch_config": {"e1f8ab732b8b9ea2"}}
TASKS: Proven = {
    f"{ALGO}:_xxhash_str": {"d9d0546984999366"},
    f"{ALGO}:PregelTaskWrites": {"0c25310069021514"},
    "langgraph.types:PregelExecutableTask": {"f7f45e0d2b64c6d8"},
    "langgraph.types:Send": {"a14ab4409c8037d8"},
    "langgraph.channels.topic:Topic": {"4118dc44e70006cf"},
}
MERGES: Proven = {
    f"{CONFIG}:_merge_metadata": {ABSENT, "55ca40004e8343d6"},
    f"{CONFIG}:_copy_mapping_value": {ABSENT, "b04047d5a45bd7fb"},
}
SEQUENCES: Proven = {
    f"{RUNNABLE}:RunnableSeq._start": {ABSENT, "c85781c3d5ad9e89"},
    f"{RUNNABLE}:RunnableSeq._end": {ABSENT, "9aad334b46cc148c"},
    f"{RUNNABLE}:_trace_payload": {ABSENT, "fee8a1e352dd611c"},
    f"{WRITE}:ChannelWrite._write": {"deffc186939338f0"},
    f"{WRITE}:ChannelWrite.do_write": {"314cc218b23d9eb2"},
    f"{WRITE}:_assemble_writes": {"5ffaf31de582cfa7"},
}
ASYNC_SEQUENCES: Proven = {
    f"{RUNNABLE}:RunnableSeq._astart": {ABSENT, "c4894fa5dc0054ab"},
    f"{RUNNABLE}:RunnableSeq._aend": {ABSENT, "37c4a80be7f869f7"},
    f"{RUNNABLE}:_trace_payload": {ABSENT, "fee8a1e352dd611c"},
    f"{WRITE}:ChannelWrite._awrite": {"eb927d7cc5fc4352"},
    f"{WRITE}:ChannelWrite.do_write": {"314cc218b23d9eb2"},
    f"{WRITE}:_assemble_writes": {"5ffaf31de582cfa7"},
}
CONTEXTS: Proven = {
    f"{RUNNABLE}:set_config_context": {"5586df1b2066702d"},
    f"{RUNNABLE}:_set_config_context": {"c0a581e57fb912ff"},
    f"{RUNNABLE}:_unset_config_context": {"ae2c6e5cd247ad54"},
}
THREAD_CALLS: Proven = {f"{CORE_CONFIG}:run_in_executor": {"89cdb3e4c30afcb8"}}
CORE_METADATA: Proven = {f"{CORE_CONFIG}:_merge_metadata_dicts": {"07dc34d704f2ba91"}}
CORE_CHILDREN: Proven = {
    f"{CORE_CALLBACKS}:BaseCallbackManager.__init__": {"8f6026080a7e2e4d"},
    f"{CORE_CALLBACKS}:BaseCallbackManager.set_handlers": {"465b76ed090777fe"},
    f"{CORE_CALLBACKS}:BaseCallbackManager.add_handler": {"78a564acc0739540"},
    f"{CORE_CALLBACKS}:BaseCallbackManager.add_tags": {"8051c9368d6ae5f2"},
    f"{CORE_CALLBACKS}:BaseCallbackManager.remove_tags": {"2515fc96d29b243c"},
    f"{CORE_CALLBACKS}:BaseCallbackManager.add_metadata": {"4231ae1b80b4cbf8"},
    **CORE_METADATA,
}
CORE_IDS: Proven = {"langchain_core.utils.uuid:uuid7": {"4a776b3184da185c"}}
BRANCHES: Proven = {
    "langgraph.graph._branch:BranchSpec": {"5e629421c2a38038"},
    f"{READ}:ChannelRead.do_read": {"7f18f6313939f167"},
    f"{STATE}:CompiledStateGraph.attach_branch": {"8409e2b968e8ae31"},
    f"{STATE}:CompiledStateGraph.attach_node": {
        "f1f5a5efd1cc472c",
        "969e2c049f3ed395",
        "71b5346250186c06",
        "e8668dba8601ebd7",
    },
    f"{STATE}:_control_branch": {"0e525aacf82aec1e"},
}
CORE_RUNS: Proven = {
    f"{CORE_MANAGER}:BaseRunManager.__init__": {"4da823fe009d57f0"},
    **CORE_IDS,
}
CORE_ASYNC_ENDS: Proven = {
    f"{CORE_MANAGER}:shielded": {"21e1fbeb70d069f4", "1a64f4344eacbc22"},
    f"{CORE_MANAGER}:ahandle_event": {"9b801ccf90471717"},
    f"{CORE_MANAGER}:AsyncCallbackManager.on_chain_start": {"3c875b6236bc794f"},
    f"{CORE_MANAGER}:AsyncCallbackManagerForChainRun.on_chain_end": {"5465f887d3f5545e"},
    f"{CORE_MANAGER}:AsyncCallbackManagerForChainRun.on_chain_error": {"52430e93481bacd8"},
}
#: The handlers that are told without a task: they do not ask which one is running.
INLINE_HANDLERS: Proven = {
    "langgraph.pregel._messages:StreamMessagesHandler": {
        "73ed8bb4f2df548d",
        "5a9d387aafe8fb86",
        "6cef32d8596540cf",
    },
    "langgraph.pregel._messages:StreamMessagesHandlerV2": {
        ABSENT,
        "4155c63353b7984c",
        "1a4f9d7bca341273",
    },
    f"{CORE_MANAGER}:_ahandle_event_for_handler": {
        "0ecf0ba9dadc846c",
        "7906ba950a5c079b",
        "17631e0f869db7bc",
        "519968dbe10f12bc",
    },
}
CORE_CONFIGURES: Proven = {
    f"{CORE_CALLBACKS}:BaseCallbackManager.__init__": {"8f6026080a7e2e4d"},
    f"{CORE_CALLBACKS}:BaseCallbackManager.add_handler": {"78a564acc0739540"},
    **CORE_METADATA,
    "langchain_core.tracers.context:_tracing_v2_is_enabled": {"b51c732be2390758"},
    "langchain_core.utils.env:env_var_is_set": {"130a6b0b6eacbfe9"},
}
CORE_LANGSMITH_DEFAULTS: Proven = {
    f"{CORE_CONFIG}:_get_langsmith_inheritable_metadata_from_config": {"d20ed4754aa468db"},
    f"{CORE_MANAGER}:CallbackManager.configure": {"022d682090ba6ecf"},
    f"{CORE_MANAGER}:AsyncCallbackManager.configure": {"10b4834ce9597c84"},
}
CORE_ENDS: Proven = {
    f"{CORE_MANAGER}:CallbackManagerForChainRun.on_chain_end": {"27db298d90021583"},
    f"{CORE_MANAGER}:CallbackManagerForChainRun.on_chain_error": {"74401029d3cfe610"},
}
RUNNERS: Proven = {
    f"{RUNNER}:FuturesDict": {"fb7dcec431db08fc", "651ee5f2471f1259"},
    f"{RUNNER}:PregelRunner.__init__": {"fceccb234cfd77e2"},
    f"{RUNNER}:PregelRunner._should_route_to_error_handler": {"efb18d9e3ee80566"},
    f"{RUNNER}:_exception": {"0be7d55cb5398d18"},
    f"{RUNNER}:_panic_or_proceed": {"0ab28fa69f3e6e79"},
    f"{RUNNER}:_should_stop_others": {"b44d32f83ed8d081", "bc1070721d227883"},
}
QUEUES: Proven = {
    f"{QUEUE}:SyncQueue": {"0c1d0c5f26fae018"},
    f"{QUEUE}:Semaphore": {"411e416f932548d7"},
    f"{QUEUE}:AsyncQueue": {"a1055bad6893818f", "dce334ca5a5a8196"},
}
# What makes the waiters: their one use of the queue is reproduced.
STREAM: Proven = {
    f"{MAIN}:Pregel.stream": {
        "d8950d933ff3d0ff",
        "dce52e99b170a8e1",
        "41251997a5887c69",
        "4d13767fe33ca2cc",
        "b6955639dcc301c9",
        "7ecd8941de212afa",
    }
}
ASTREAM: Proven = {
    f"{MAIN}:Pregel.astream": {
        "234ff628aab12a5d",
        "eae059b6e6e063a6",
        "e0dcdc859a7f8ddb",
        "3315a42a00b24b75",
        "6003af97f431afd0",
        "e60b469dc31772f5",
    }
}
#: What the codec writes and reads as, a binary; no more is known of it than its releases.
MSGPACK_READ = {"ormsgpack": frozenset(("1.12.2", "1.13.1"))}
MSGPACK = {"ormsgpack": frozenset(("1.12.0", "1.12.1", "1.12.2", "1.13.0", "1.13.1"))}
SERDE_TYPES: Proven = {
    "langgraph.checkpoint.serde.types:SendProtocol": {"909b85223d4e6c73"},
    "langgraph.store.base:Item": {"30cc5164030c7ca2"},
    "langgraph.types:Send": {"d7a44092283cb95b", "a14ab4409c8037d8"},
}
SERDE_DEFAULT = f"{JSONPLUS}:_msgpack_default"
SERDE_SNAPSHOT = "langgraph.checkpoint.serde.types:_DeltaSnapshot"

TUPLES: Proven = {
    "langgraph.checkpoint.base:CheckpointTuple": {"03ec02a8064cd0c1"},
    "langgraph.checkpoint.base:get_checkpoint_id": {"16d0a06234bbf1f4"},
}
MEMORY_READS: Proven = {
    f"{MEMORY}:InMemorySaver._load_blobs": {"e7f88a6cd397794e", "209aa6c901bc7d9c"},
    f"{MEMORY}:InMemorySaver._ordered_writes": {ABSENT, "d9148e78fd74eede"},
    "langgraph.checkpoint.base:writes_sort_key": {ABSENT, "978280aa7377b8ec"},
}
SQLITE_CURSOR: Proven = {f"{SQLITE}:SqliteSaver.cursor": {"8a24760caa13c6be"}}
SQLITE_READS: Proven = {
    f"{SQLITE}.utils:load_pending_writes": {ABSENT, "b449d04a6ddec786"},
    f"{SQLITE}.utils:pending_writes_sql": {ABSENT, "72067564f05bee2f"},
}
SQLITE_TRIPS: Proven = {
    "aiosqlite.core:Connection._execute": {"bba19d8912febfc4"},
    f"{ASQLITE}:AsyncSqliteSaver.setup": {
        "eedbb1deb6aa358c",
        "20e2346af111fecb",
        "540dea84134214ba",
    },
}
POSTGRES_CURSOR: Proven = {
    f"{POSTGRES}:PostgresSaver._cursor": {"8252f5caf113be5a"},
    f"{POSTGRES}._internal:get_connection": {"aab23ae496c2d811"},
}
APOSTGRES_CURSOR: Proven = {
    f"{APOSTGRES}:AsyncPostgresSaver._cursor": {"2986d9eb4fbb722e"},
    f"{POSTGRES}._ainternal:get_connection": {"32d2b6a3faf756fa"},
}
POSTGRES_DUMPS: Proven = {
    f"{BASE_POSTGRES}:BasePostgresSaver._dump_blobs": {"6d7c6bc2099f9e4d"},
    f"{BASE_POSTGRES}:BasePostgresSaver._dump_writes": {"aeacb73b03b9cf1c"},
}
DECODES: Proven = {
    f"{JSONPLUS}:_create_msgpack_ext_hook": {"020520ce5b8bc8c1", "4a866c53c083a1b8"},
    f"{JSONPLUS}:_reconstruction_fallback": {ABSENT, "c97267ff0739d308"},
    f"{JSONPLUS}:_send_from_args": {"998dcf15dbf061e0"},
    f"{JSONPLUS}:_warn_once": {"d02442ba1ce53008"},
    f"{SERDE}.event_hooks:emit_serde_event": {"5629a66a4016b630"},
    f"{SERDE}.types:_DeltaSnapshot": {"8a9b6cea73ea8e9a"},
    "langgraph.types:Send": {"d7a44092283cb95b", "a14ab4409c8037d8"},
    "langgraph.types:TimeoutPolicy.coerce": {ABSENT, "6477f3ec8b9e8cb5"},
}
# What a chat message does with what it is made of.
MESSAGES: Proven = {
    f"{CORE_MESSAGES}.base:BaseMessage": {"7368088f50514ab2", "95f85ae0fbf4f857"},
    f"{CORE_MESSAGES}.human:HumanMessage": {"c87ba24531ab2e29", "41dc82ea85811087"},
    f"{CORE_MESSAGES}.system:SystemMessage": {"c1f922cc787b9048", "b7063e98ffbc7b44"},
    f"{CORE_MESSAGES}.ai:AIMessage": {
        "a1e4b44090e0b67f",
        "e5a463690e442dd7",
        "23235efc531063fe",
    },
    f"{CORE_MESSAGES}.tool:ToolMessage": {"ff4600392caafa51", "3526e482a3db0680"},
    f"{CORE_MESSAGES}.ai:UsageMetadata": {"0db92726e6ebff1b"},
    f"{CORE_MESSAGES}.ai:InputTokenDetails": {"579f7af29906c055"},
    f"{CORE_MESSAGES}.ai:OutputTokenDetails": {"a75de15f2bf817e9", "788ffe321974c601"},
    f"{CORE_MESSAGES}.tool:ToolCall": {"1cd0f77283f947ca"},
    f"{CORE_MESSAGES}.tool:tool_call": {"21010c58d07e9f67"},
    "langchain_core.load.serializable:Serializable.__init__": {"5ab3bc3ea2ef21a4"},
}


def sites(name: str, *modules: str) -> tuple[BindingSite, ...]:
    """The same name in each of `modules`; the first is where the function is defined."""
    return tuple(BindingSite(module, name) for module in modules)


def sources(*proven: Proven) -> tuple[Source, ...]:
    return tuple(Source(*label.split(":")) for table in proven for label in table)


def variant(key: str, *proven: Proven) -> Variant:
    return Variant(key, {label: frozenset(s) for table in proven for label, s in table.items()})


def target(
    name: str,
    modules: tuple[str, ...],
    known: Mapping[str, set[str]],
    factory: str,
    summary: str,
    domain: str,
    relies_on: tuple[Proven, ...] = (),
    switched: str | None = None,
    numba: str | None = None,
    binaries: Mapping[str, frozenset[str]] = MappingProxyType({}),
    label: str | None = None,
) -> Target:
    """A row of the table.

    Parameters
    ----------
    name : str
        Of the upstream function, dotted for a method.
    modules : tuple of str
        Where the name is bound; the first one defines it.
    known : mapping of str to set of str
        By variant, the fingerprints of the function itself.
    factory : str
        ``"module:function"`` in this package.
    summary, domain : str
        For people.
    relies_on : tuple of Proven
        What else the replacement reproduces.
    switched : str, optional
        Told when the target goes on or off.
    numba : str, optional
        The factory with numba kernels, likewise.
    binaries : mapping of str to frozenset of str, optional
        By distribution, the releases of compiled code that it was proven against.
    label : str, optional
        The target's name, where another upstream function has the same one.
    """
    own = f"{modules[0]}:{name}"
    factories = {"compiled": factory, **({} if numba is None else {"numba": numba})}
    return Target(
        name=label or name,
        framework=FRAMEWORK,
        sites=sites(name, *modules),
        sources=sources({own: set()}, *relies_on),
        variants=tuple(variant(key, {own: seen}, *relies_on) for key, seen in known.items()),
        factories={kernels: f"{PACKAGE}.{made_by}" for kernels, made_by in factories.items()},
        summary=summary,
        domain=domain,
        switched=switched,
        binaries=binaries,
    )


def saver(
    name: str,
    module: str,
    known: set[str],
    factory: str,
    summary: str,
    domain: str,
    relies_on: tuple[Proven, ...] = (),
) -> Target:
    """A row for a saver's method; the replacement is the same Python whatever the kernels."""
    return target(name, (module,), {"": known}, factory, summary, domain, relies_on, numba=factory)


TARGETS: tuple[Target, ...] = (
    target(
        "apply_writes",
        (ALGO, LOOP, MAIN, DRAW),
        {
            "whole path": {"f5f413108eb0bdee"},
            "path[:3]": {"f4c6cbe29b66341f", "e6addc93797f3b5f"},
        },
        "writes:make_apply_writes",
        "Applies the writes of a superstep's tasks to the channels and bumps their versions, "
        "without asking the channels that cannot have changed.",
        "Checkpoint and channels in plain dicts, writes to channels of the graph; channels of "
        "exact built-in types natively, any other through its own methods.",
        (CHANNELS, {f"{ALGO}:task_path_str": {"798a7ffbb877ff2e"}}),
        switched=f"{PACKAGE}.channels:invalidate_tables",
    ),
    target(
        "prepare_next_tasks",
        (ALGO, LOOP, MAIN, DRAW),
        {"": {"89ebc1854563b290"}},
        "triggers:make_prepare_next_tasks",
        "Finds the nodes that run in the next superstep from the channels that changed.",
        "Checkpoint, nodes and channels in plain dicts.",
        (CHANNELS, TRIGGERS, NULL_VERSION),
        numba="numba_triggers:make_prepare_next_tasks",
    ),
    target(
        "prepare_single_task",
        (ALGO, LOOP),
        {
            "id per interrupt": {"c8da6b928ce9caa5"},
            "id per task": {"49c57207813df2d2"},
        },
        "tasks:make_prepare_single_task",
        "Makes a task's id, metadata, runtime, execution info and config in one pass.",
        "Tasks for execution, pulled by triggers or pushed by a `Send`, without a cache policy.",
        (
            {f"{ALGO}:prepare_push_task_send": {"c3d8505a6b122b93", "f025918049557746"}},
            TASKS,
            RUNTIMES,
            PATCH_CONFIG,
        ),
    ),
    target(
        "prepare_push_task_functional",
        (ALGO,),
        {"id per interrupt": {"a0cfd3023a77d152"}, "id per task": {"2c746bcd44871bc0"}},
        "calls:make_prepare_push_task_functional",
        "Makes the task that a call of the functional API runs as.",
        "Tasks for execution without a cache policy.",
        (TASKS, RUNTIMES, PATCH_CONFIG, {f"{ALGO}:task_path_str": {"798a7ffbb877ff2e"}}),
    ),
    target(
        "_triggers",
        (ALGO,),
        {"": {"b715de73e93bb1ce"}},
        "triggers:make_triggers",
        "Whether a node has a trigger that it has not seen.",
        "All calls; channels of other than exact built-in types through their own methods.",
        (CHANNELS,),
    ),
    target(
        "_scratchpad",
        (ALGO, MAIN),
        {"id per interrupt": {"6b46673887576540"}, "id per task": {"324ecb8133fe9820"}},
        "scratchpad:make_scratchpad",
        "Makes the scratchpad of a task, with one look through the pending writes.",
        "Pending writes in a list.",
        (SCRATCHPAD,),
    ),
    target(
        "_proc_input",
        (ALGO,),
        {"": {"1ddb36dce459b4a8"}},
        "reads:make_proc_input",
        "Reads the channels that make up a node's input.",
        "Nodes that read a list of channels or one channel.",
        (CHANNELS,),
    ),
    target(
        "local_read",
        (ALGO, MAIN),
        {"": {"86e9dbda151e4b50"}},
        "reads:make_local_read",
        "Reads the state as a task sees it, copying only the channels that its writes change.",
        "Channels in a plain dict; for a fresh read, none whose copy runs somebody's code (a "
        "user-defined channel, a DeltaChannel, a reducer over a class of the user's).",
        (CHANNELS, READS),
    ),
    target(
        "should_interrupt",
        (ALGO, LOOP),
        {"": {"c85cc5a8ecd7af73"}},
        "interrupts:make_should_interrupt",
        "Decides whether to stop before or after a superstep.",
        "Checkpoint and versions in plain dicts.",
    ),
    target(
        "merge_configs",
        (CONFIG, ALGO, MAIN, RETRY, READ, "langgraph.pregel.remote"),
        {
            "deep metadata, default limit by type": {"d9dbd0568a531c7c"},
            "deep metadata, default limit by value": {"aa2eff481e1ef1f4"},
            "flat metadata, default limit by value": {"868913d5e0c87aa8", "76abb3888dfe13c8"},
        },
        "config:make_merge_configs",
        "Merges configs, a superstep's with a task's own.",
        "Configs in plain dicts.",
        (MERGES,),
    ),
    target(
        "Runtime.override",
        ("langgraph.runtime",),
        {"": {"e0928f69c0c398a5"}},
        "runtime:make_override",
        "Copies the runtime of a node with some fields changed.",
        "Exactly `Runtime`, fields that it has.",
        (RUNTIMES,),
    ),
    target(
        "Runtime.patch_execution_info",
        ("langgraph.runtime",),
        {"": {"9f544914b7f41fb9"}},
        "runtime:make_patch_execution_info",
        "Copies the runtime of a node with some fields of its execution info changed.",
        "Exactly `Runtime` and `ExecutionInfo`, fields that they have.",
        (RUNTIMES,),
    ),
    target(
        "run_with_retry",
        (RETRY, RUNNER),
        {
            "cancellation is a failure": {"4ef0bfa4ac0ba4f1", "4cf5d2564c693106"},
            "cancellation passes": {"0fa17c223e2eccd0"},
        },
        "retry:make_run_with_retry",
        "Runs a task of a sync run, with its runtime copied once instead of twice.",
        "Tasks without a retry policy and without a timeout.",
        (RUNTIMES,),
    ),
    target(
        "RunnableSeq.invoke",
        (RUNNABLE,),
        {"": {"5662a1983b828025", "ebea44111655760f", "8511122bb8f90436"}},
        "nodes:make_seq_invoke",
        "Runs a node's function and its writers, without a child run for a plain writer.",
        "Exactly `RunnableSeq`, a config in a plain dict, no trace transforms.",
        (SEQUENCES, CONTEXTS, PATCH_CONFIG, BRANCHES, CORE_CHILDREN, CORE_RUNS, CORE_ENDS),
    ),
    target(
        "RunnableCallable.invoke",
        (RUNNABLE,),
        {"": {"de895a25e8dee71f", "2e0cfc3334ae564b"}},
        "nodes:make_callable_invoke",
        "Calls a function with what it asks to be given, as a run of its own if it is traced.",
        "A config in a plain dict, arguments that are not exploded.",
        (CONTEXTS, PATCH_CONFIG, CORE_CHILDREN, CORE_RUNS, CORE_ENDS),
    ),
    target(
        "arun_with_retry",
        (RETRY, RUNNER),
        {
            "cancellation is a failure": {
                "8b4a581622fffe4f",
                "312147c293ecfbd7",
                "f24db7482320e41b",
            },
            "cancellation is a failure, with a cache": {"621e15910acab991"},
            "cancellation passes, with a cache": {"a85dec2ec5c39f87"},
        },
        "async_retry:make_arun_with_retry",
        "Runs a task of an async run, with its runtime copied once instead of twice.",
        "Tasks without a retry policy and without a timeout, not streamed.",
        (RUNTIMES,),
    ),
    target(
        "RunnableSeq.ainvoke",
        (RUNNABLE,),
        {"": {"51b6e3c9a9805186", "7bb1f7cdbf278bbd", "1a0d08e5ad37ef96"}},
        "async_nodes:make_seq_ainvoke",
        "Runs an async node's function and its writers, without child runs that nobody sees.",
        "Exactly `RunnableSeq`, a config in a plain dict, no trace transforms.",
        (
            ASYNC_SEQUENCES,
            CONTEXTS,
            PATCH_CONFIG,
            BRANCHES,
            CORE_CHILDREN,
            CORE_RUNS,
            CORE_ASYNC_ENDS,
            INLINE_HANDLERS,
            THREAD_CALLS,
        ),
    ),
    target(
        "RunnableCallable.ainvoke",
        (RUNNABLE,),
        {"": {"532d4c483ad1c2f1", "0507c8f2a9bd3a3c"}},
        "async_nodes:make_callable_ainvoke",
        "Calls an async function, or a sync one in a thread, with what it asks to be given, as a "
        "run of its own if traced.",
        "A config in a plain dict, arguments that are not exploded.",
        (
            CONTEXTS,
            PATCH_CONFIG,
            CORE_CHILDREN,
            CORE_RUNS,
            CORE_ASYNC_ENDS,
            INLINE_HANDLERS,
            THREAD_CALLS,
        ),
    ),
    target(
        "PregelRunner.tick",
        (RUNNER,),
        {
            "streams before it raises": {"9cd8187fc75235a5", "6a85a34da126e9a4"},
            "raises at once": {"551f6bc7e143a3d8"},
        },
        "runner:make_tick",
        "Runs the tasks of a superstep of a sync run.",
        "All calls; waits for chunks by itself without `max_concurrency`, as long as each task "
        "has a worker.",
        (RUNNERS, QUEUES, STREAM, {f"{EXECUTOR}:BackgroundExecutor.submit": {"2fda710ca55bf5b6"}}),
    ),
    target(
        "PregelRunner.atick",
        (RUNNER,),
        {
            "streams before it raises": {"b319a58ab8775a76", "8d378eda725824b6"},
            "raises at once": {"67e11bdc4e6ef1d4"},
        },
        "async_runner:make_atick",
        "Runs the tasks of a superstep of an async run.",
        "All calls; waits for chunks with a future of its own in loops without a task factory.",
        (RUNNERS, QUEUES, ASTREAM),
    ),
    target(
        "BackgroundExecutor.submit",
        (EXECUTOR,),
        {"": {"2fda710ca55bf5b6"}},
        "executor:make_thread_submit",
        "Runs a function in the background of a sync run.",
        "Executors as LangChain makes them.",
        ({f"{CORE_CONFIG}:ContextThreadPoolExecutor.submit": {"8f2911e66df56303"}},),
    ),
    target(
        "BackgroundExecutor.__init__",
        (EXECUTOR,),
        {"": {"a306ae00f2dfdcea"}},
        "executor:make_thread_init",
        "Prepares a sync run's background tasks; its threads are the run's when it has any.",
        "A config in a plain dict, LangChain's own executors.",
        (
            {
                f"{EXECUTOR}:BackgroundExecutor": {"1c3c3b03d60d5838", "ce4255c6934d7dcc"},
                f"{CORE_CONFIG}:get_executor_for_config": {"baf309465d02681f"},
                f"{CORE_CONFIG}:ContextThreadPoolExecutor": {"bcb11a17336abffa"},
            },
        ),
    ),
    target(
        "BackgroundExecutor.done",
        (EXECUTOR,),
        {"": {"156143f3cb309f47"}},
        "executor:make_thread_done",
        "Forgets a background task of a sync run that ended.",
        "Tasks that were not cancelled.",
    ),
    target(
        "ContextThreadPoolExecutor.submit",
        (CORE_CONFIG,),
        {"": {"8f2911e66df56303"}},
        "executor:make_context_submit",
        "Runs a function in a thread that is kept for the next executor.",
        "CPython 3.10 to 3.12, threads that nobody traces or starts in another way.",
    ),
    target(
        "AsyncBackgroundExecutor.submit",
        (EXECUTOR,),
        {"": {"82433cf303e2eefa"}},
        "executor:make_submit",
        "Runs a coroutine in the background of an async run.",
        "Coroutines submitted in the loop's own thread, Pythons whose tasks take a context and "
        "are not started at once.",
        (
            {
                f"{FUTURE}:run_coroutine_threadsafe": {"dd5e0970fbae2427"},
                f"{FUTURE}:_ensure_future": {"9270e5d45e54d948"},
            },
        ),
    ),
    target(
        "AsyncBackgroundExecutor.done",
        (EXECUTOR,),
        {"": {"4a0e12c46c7c2a3e"}},
        "executor:make_done",
        "Forgets a background task that is done.",
        "Tasks that were not cancelled.",
    ),
    target(
        "_call",
        (RUNNER,),
        {"": {"4f900efccdf83840"}},
        "calls:make_call",
        "Runs a `@task` called in a task of a sync run.",
        "All calls.",
        ({f"{ALGO}:Call": {"f801f3384b94d479"}},),
    ),
    target(
        "_acall",
        (RUNNER,),
        {"": {"0037406a2ede8c11"}},
        "calls:make_acall",
        "Runs a `@task` called in a task of an async run.",
        "All calls.",
    ),
    target(
        "_acall_impl",
        (RUNNER,),
        {"": {"b7d7890f716ddbdb"}},
        "calls:make_acall_impl",
        "Schedules a called task in an async run.",
        "All calls.",
        ({f"{ALGO}:Call": {"f801f3384b94d479"}},),
    ),
    target(
        "SyncQueue.put",
        (QUEUE,),
        {"": {"e2de4d181f259585"}},
        "queues:make_put",
        "Adds a chunk to a sync run's stream.",
        "All calls.",
        (QUEUES,),
    ),
    target(
        "_output",
        (MAIN,),
        {"": {"a9cbf3e008374982"}},
        "queues:make_output",
        "Hands the chunks in a run's stream to the consumer.",
        "The engine's own queues, nothing printed.",
        (QUEUES,),
    ),
    target(
        "PregelRunner.commit",
        (RUNNER,),
        {"": {"3d3ee238b0a4542c", "9b0c12b6619cbce0"}},
        "runner:make_commit",
        "Saves what a finished task wrote.",
        "Tasks that succeeded.",
    ),
    target(
        "PregelLoop.output_writes",
        (LOOP,),
        {"": {"46469c98778d04fe"}},
        "outputs:make_output_writes",
        "Streams what a task wrote as updates.",
        "Tasks that neither failed nor were interrupted, unless tasks are streamed, too.",
        (
            {
                f"{LOOP}:PregelLoop._emit": {"ceb2fb8748c497c0"},
                "langgraph.pregel._io:map_output_updates": {
                    "a973ab5c8d1e2fcd",
                    "0417e91507329fcb",
                },
            },
        ),
    ),
    target(
        "channels_from_checkpoint",
        (CHECKPOINT, LOOP, MAIN, DRAW),
        {
            "": {
                "1dee15697d02816d",
                "42cb1f287eb4d7a4",
                "660bdaf3cb2c537f",
                "0d2ff33e2792a0c3",
            }
        },
        "channels:make_channels_from_checkpoint",
        "Makes a run's channels and keeps book of them for the run.",
        "Channels of built-in types that store their values; upstream makes any other.",
        (CHANNELS,),
    ),
    target(
        "achannels_from_checkpoint",
        (CHECKPOINT, LOOP, MAIN),
        {"": {ABSENT, "2109fb07685d1c73", "c346d814a8b4be0d", "e8b3750e2d974026"}},
        "channels:make_achannels_from_checkpoint",
        "The same for async runs.",
        "The same; the function exists from LangGraph 1.2 on.",
        (CHANNELS,),
    ),
    target(
        "Pregel.invoke",
        (MAIN,),
        {"": {"cf9367a85813328f"}},
        "invocation:make_invoke",
        "Runs a graph for its result, without the state and the updates of every superstep.",
        "The values of a list of output channels, nothing printed, `stream` as LangGraph has it.",
        (READS,),
    ),
    target(
        "Pregel.ainvoke",
        (MAIN,),
        {"": {"f1d27e4cb65ef777"}},
        "invocation:make_ainvoke",
        "The same for async runs.",
        "The values of a list of output channels, nothing printed, `astream` as LangGraph has it.",
        (READS,),
    ),
    target(
        "PregelLoop.tick",
        (LOOP,),
        {"": {"29c48f91de1cba55"}},
        "loop:make_tick",
        "Prepares a superstep and decides whether there is one to run.",
        "Exactly LangGraph's loops, no channel stored as deltas, steps left.",
        (LOOPS,),
    ),
    target(
        "PregelLoop._prepare_tasks_and_emit_checkpoint",
        (LOOP,),
        {"": {ABSENT, "0f29c7c0ce6ee91b"}},
        "loop:make_prepare_tasks",
        "Prepares the tasks of a superstep without making the checkpoint's config for nobody.",
        "Runs that do not stream checkpoints.",
        (EMITS,),
    ),
    target(
        "PregelLoop.after_tick",
        (LOOP,),
        {"": {"abb09e58d6671cd0"}},
        "loop:make_after_tick",
        "Finishes a superstep: applies the writes, streams the values, puts the checkpoint.",
        "Exactly LangGraph's loops, no channel stored as deltas.",
        (CHANNELS, EMITS),
        switched=f"{PACKAGE}.channels:invalidate_tables",
    ),
    target(
        "task_path_str",
        (ALGO, LOOP, MAIN),
        {"": {"798a7ffbb877ff2e"}},
        "task_ids:make_task_path_str",
        "Spells a task's path, by which tasks and their writes are ordered.",
        "Paths as the engine makes them.",
    ),
    target(
        "PregelLoop.put_writes",
        (LOOP,),
        {"": {"2858b1fa7c8a8107", "37f8f3d2bfc4c283"}},
        "pending:make_put_writes",
        "Keeps and saves what a task wrote, without making the list of pending writes anew.",
        "The first writes of a task, none loaded with the checkpoint left, no channel stored as "
        "deltas or not at all.",
        (CHANNELS,),
    ),
    target(
        "PregelLoop._reapply_writes_to_succeeded_nodes",
        (LOOP,),
        {"": {ABSENT, "050e5fedc1662638", "0d6cdfdf6be036e4", "9541574eff2fedce"}},
        "pending:make_reapply_writes",
        "Hands writes loaded with the checkpoint back to their tasks, if there are any.",
        "Runs that loaded none, or none any more, for tasks that have not written yet.",
    ),
    target(
        "SyncPregelLoop.put_writes",
        (LOOP,),
        {"": {ABSENT, "9b96a3321f48314a"}},
        "pending:make_sync_put_writes",
        "The same in a sync run.",
        "Runs without a cache.",
    ),
    target(
        "AsyncPregelLoop.put_writes",
        (LOOP,),
        {"": {ABSENT, "7ce242990510f221"}},
        "pending:make_async_put_writes",
        "The same in an async run.",
        "Runs without a cache.",
    ),
    target(
        "PregelLoop._put_checkpoint",
        (LOOP,),
        {"": {"f2deb1dae25495f3", "6418c8178b4b3368"}},
        "checkpoint:make_put_checkpoint",
        "Makes a superstep's checkpoint, its id alone where nobody saves it, and has it saved.",
        "Supersteps of runs without channels stored as deltas or not at all.",
        (CHANNELS, CHECKPOINTS),
    ),
    target(
        "get_new_channel_versions",
        (UTILS, LOOP, MAIN),
        {"": {"1b0a23ee00ef89a6"}},
        "checkpoint:make_get_new_channel_versions",
        "Finds the channels that were written since the checkpoint saved before.",
        "Versions as savers make them: text in dicts.",
    ),
    target(
        "empty_checkpoint",
        (CHECKPOINT, LOOP, MAIN, DRAW),
        {"": {"b6749f665bdd1a99"}},
        "checkpoint:make_empty_checkpoint",
        "Makes the checkpoint that a new thread starts from.",
        "All calls.",
        (CHECKPOINTS,),
    ),
    target(
        "create_checkpoint",
        (CHECKPOINT, LOOP, MAIN),
        {
            "from the channels": {"8555c403e4ebac8a"},
            "by upstream": {"162ded169deaa27b", "bb57e207c3fa5e42", "f2e96802eae3a4c2"},
        },
        "checkpoint:make_create_checkpoint",
        "Makes a checkpoint from what the channels hold; before LangGraph 1.2.15, keeps book of "
        "the one upstream makes.",
        "Checkpoint and channels in plain dicts, no channel to snapshot.",
        (CHANNELS, CHECKPOINTS),
    ),
    target(
        "copy_checkpoint",
        (CHECKPOINT, LOOP, MAIN),
        {"": {"a57f7ccd505a18c5"}},
        "checkpoint:make_copy_checkpoint",
        "Copies a checkpoint for the saver.",
        "Checkpoint in a plain dict.",
    ),
    target(
        "_merge_metadata_dicts",
        (CORE_CONFIG,),
        {"": {"07dc34d704f2ba91"}},
        "callbacks:make_merge_metadata_dicts",
        "Merges the metadata of callback managers.",
        "All calls.",
    ),
    target(
        "BaseCallbackManager.add_metadata",
        (CORE_CALLBACKS,),
        {"": {"4231ae1b80b4cbf8"}},
        "callbacks:make_add_metadata",
        "Adds metadata to a callback manager.",
        "All calls.",
        (CORE_METADATA,),
    ),
    target(
        "ParentRunManager.get_child",
        (CORE_MANAGER,),
        {"": {"44c1108acbccb573"}},
        "callbacks:make_get_child",
        "Makes the callback manager for the runs below a run.",
        "Inherited handlers and tags in lists, metadata in a dict.",
        (CORE_CHILDREN,),
    ),
    target(
        "AsyncParentRunManager.get_child",
        (CORE_MANAGER,),
        {"": {"4f5383ea3dc4973a"}},
        "callbacks:make_aget_child",
        "Makes the async callback manager for the runs below a run.",
        "Inherited handlers and tags in lists, metadata in a dict.",
        (CORE_CHILDREN,),
    ),
    target(
        "CallbackManager.on_chain_start",
        (CORE_MANAGER,),
        {"": {"e6e96f02202d81c4"}},
        "callbacks:make_on_chain_start",
        "Starts the run of a chain.",
        "All calls; upstream's own function tells the handlers.",
        (CORE_RUNS,),
    ),
    target(
        "get_callback_manager_for_config",
        (CONFIG, RUNNABLE),
        {"": {"b5c44616cf1265a1", "b3f2633d1a6c29f3"}},
        "callbacks:make_manager_for_config",
        "Finds the callback manager of a config and adds the config's tags and metadata to it.",
        "A plain config whose callbacks are exactly a `CallbackManager`.",
        (CORE_METADATA,),
    ),
    target(
        "get_async_callback_manager_for_config",
        (CONFIG, RUNNABLE),
        {"": {"10d4bf5776f95e32", "228039e65cf583f2"}},
        "callbacks:make_amanager_for_config",
        "Finds the async callback manager of a config and adds its tags and metadata to it.",
        "A plain config whose callbacks are exactly an `AsyncCallbackManager`.",
        (CORE_METADATA,),
    ),
    target(
        "BinaryOperatorAggregate.update",
        ("langgraph.channels.binop",),
        {"": {"54c6a05ef81c72d6", "6c0777678c67cc7d"}},
        "message_reducer:make_update",
        "Applies `add_messages` without a table of all the messages there are.",
        "Channels with exactly `add_messages`, lists of human, AI, tool and system messages.",
        (
            {
                "langgraph.graph.message:add_messages": {
                    "72971a6eaf6c13bd",
                    "fb9daf12a1f56ebd",
                    "4deb06a283904ffe",
                },
                "langgraph.graph.message:_add_messages_wrapper": {"1d65a0d23b2b2560"},
                "langgraph.graph.message:_coerce_to_messages": {ABSENT, "fccd6baeedf79009"},
            },
        ),
    ),
    # What LangChain does around each chat model, tool and runnable that a node calls.
    target(
        "ensure_config",
        (
            CORE_CONFIG,
            "langchain_core.runnables",
            CORE_RUNNABLES,
            "langchain_core.runnables.passthrough",
            CHAT_MODELS,
            TOOLS,
        ),
        {"": {"318a4a5872e41dcd"}},
        "core_config:make_ensure_config",
        "Completes a config with what the run around it hands down.",
        "Configs in plain dicts, with metadata and configurable values in plain dicts.",
        ({f"{CORE_CALLBACKS}:BaseCallbackManager.copy": {"314dc8196f1d6161"}}, CORE_CHILDREN),
        label="runnables.ensure_config",
    ),
    target(
        "patch_config",
        (
            CORE_CONFIG,
            "langchain_core.runnables",
            CORE_RUNNABLES,
            "langchain_core.runnables.passthrough",
            TOOLS,
        ),
        {"": {"8bc29ea2dc5b85cf"}},
        "core_config:make_patch_config",
        "Completes a config and replaces some of its values.",
        "All calls.",
        label="runnables.patch_config",
    ),
    target(
        "_configure",
        (CORE_MANAGER,),
        {"": {"654189ced6443694", "39b746df08fc5233"}},
        "core_managers:make_configure",
        "Sets up the callback manager of a run.",
        "Exactly LangChain's managers, outside any trace of LangSmith's, no debugging, no handler "
        "that a context variable or an environment variable adds.",
        (CORE_CONFIGURES,),
    ),
    target(
        "get_callback_manager_for_config",
        (CORE_CONFIG, CORE_RUNNABLES, MAIN),
        {"": {"2c9a5cfa6d712250"}},
        "core_managers:make_manager_for_config",
        "Sets up the callback manager of a config.",
        "Plain configs, else as `_configure`.",
        (CORE_CONFIGURES, CORE_LANGSMITH_DEFAULTS),
        label="runnables.get_callback_manager_for_config",
    ),
    target(
        "get_async_callback_manager_for_config",
        (CORE_CONFIG, CORE_RUNNABLES, MAIN),
        {"": {"28333839d8c67b36"}},
        "core_managers:make_amanager_for_config",
        "Sets up the async callback manager of a config.",
        "Plain configs, else as `_configure`.",
        (CORE_CONFIGURES, CORE_LANGSMITH_DEFAULTS),
        label="runnables.get_async_callback_manager_for_config",
    ),
    target(
        "RunnableSequence.invoke",
        (CORE_RUNNABLES,),
        {"": {"4f8c2d5363fd6335"}},
        "runnable_sequence:make_invoke",
        "Invokes LangChain's sequences, such as an agent's prompt and model.",
        "Exactly `RunnableSequence`, no tracer of LangSmith's among the handlers.",
        (
            CORE_CHILDREN,
            CORE_RUNS,
            CORE_ENDS,
            {
                f"{CORE_CONFIG}:set_config_context": {"534fc281aa7b6bd0"},
                f"{CORE_CONFIG}:_set_config_context": {"1298ff06e76c562c"},
                f"{CORE_CONFIG}:patch_config": {"8bc29ea2dc5b85cf"},
            },
        ),
    ),
    target(
        "BaseChatModel.generate",
        (CHAT_MODELS,),
        {"": {"e72368cb3d53cfec", "8cd94ff4980109bd"}},
        "chat_model:make_generate",
        "Calls a chat model, without making what nobody is told.",
        "One list of messages, no handlers.",
        (
            CORE_CONFIGURES,
            {
                f"{CORE_MANAGER}:CallbackManager.configure": {"022d682090ba6ecf"},
                f"{CORE_MANAGER}:CallbackManager.on_chat_model_start": {"979e4163cad992a0"},
                f"{CORE_MANAGER}:CallbackManagerForLLMRun.on_llm_end": {"6b43053d0c22b2cc"},
                f"{CORE_MANAGER}:CallbackManagerForLLMRun.on_llm_error": {"04a3eb1a5f800a57"},
                f"{CHAT_MODELS}:_format_for_tracing": {"575f76148a5fd51f"},
            },
            CORE_RUNS,
        ),
    ),
    target(
        "BaseChatModel._get_ls_params",
        (CHAT_MODELS,),
        {"": {"6ee8e6f6bb13398e"}},
        "chat_model:make_get_ls_params",
        "Finds the parameters of a chat model that LangSmith shows.",
        "All calls.",
    ),
    target(
        "BaseTool.run",
        (TOOLS,),
        {
            "any exception": {"4f8fbd9b9bb07c01"},
            "exceptions but those that stop all": {"5e35d8a0b18170fa", "6684f9005c66f4e1"},
        },
        "tools:make_run",
        "Calls a tool, without making what nobody is told.",
        "No handlers, arguments of plain values.",
        (
            CORE_CONFIGURES,
            {
                f"{CORE_CONFIG}:set_config_context": {"534fc281aa7b6bd0"},
                f"{CORE_CONFIG}:patch_config": {"8bc29ea2dc5b85cf"},
                f"{CORE_MANAGER}:CallbackManager.configure": {"022d682090ba6ecf"},
                f"{CORE_MANAGER}:CallbackManager.on_tool_start": {"ea34a689c5d2ecb7"},
                f"{CORE_MANAGER}:CallbackManagerForToolRun.on_tool_end": {"0bbaccb4dce7eff0"},
                f"{CORE_MANAGER}:CallbackManagerForToolRun.on_tool_error": {"05656867d073f5e8"},
            },
            CORE_RUNS,
        ),
    ),
    target(
        "RunnableSequence.ainvoke",
        (CORE_RUNNABLES,),
        {"": {"0f73f88379c96115"}},
        "runnable_sequence:make_ainvoke",
        "Invokes LangChain's sequences, each step in a task of its own.",
        "Exactly `RunnableSequence`, no tracer of LangSmith's among the handlers, Python 3.11 on.",
        (
            CORE_CHILDREN,
            CORE_RUNS,
            CORE_ASYNC_ENDS,
            INLINE_HANDLERS,
            {
                f"{CORE_CONFIG}:set_config_context": {"534fc281aa7b6bd0"},
                f"{CORE_CONFIG}:_set_config_context": {"1298ff06e76c562c"},
                f"{CORE_CONFIG}:patch_config": {"8bc29ea2dc5b85cf"},
                "langchain_core.runnables.utils:coro_with_context": {
                    "07f1169036bd6135",
                    "19447dfa2cff1a33",
                },
            },
        ),
    ),
    target(
        "_signature_parameters",
        (
            CORE_SIGNATURE,
            CORE_RUNNABLES,
            "langchain_core.runnables.utils",
            TOOLS,
            STRUCTURED,
            SIMPLE,
            CHAT_MODELS,
        ),
        {"": {ABSENT, "1657d4417731f71d"}},
        "signatures:make_signature_parameters",
        "Finds the parameters of a callable, once for each function.",
        "Plain functions and methods that wrap nothing, before Python 3.14.",
    ),
    target(
        "_get_runnable_config_param",
        (TOOLS, STRUCTURED, SIMPLE),
        {"": {"6303b4338c4e6cb0", "e8055522ca3b26dd"}},
        "signatures:make_get_runnable_config_param",
        "Finds the parameter that a tool's function takes the config by, once for each function.",
        "Plain functions and methods that wrap nothing, annotations of which the names can be "
        "told, before Python 3.14.",
        (
            {
                f"{TOOLS}:_get_type_hints": {
                    "d77d8f4ff33ac3d1",
                    "d37871f875271015",
                    "0bb5cbec9c70642e",
                    "9aa86f73c70ae66b",
                }
            },
        ),
    ),
    target(
        "get_all_basemodel_annotations",
        (TOOLS, "langgraph.prebuilt.tool_node"),
        {"": {"4fcd85e25739c713", "7d4f8b1c3a397a8e"}},
        "signatures:make_get_all_basemodel_annotations",
        "Finds the annotations of the fields of a tool's arguments, once for each model.",
        "Models of Pydantic 2 without type variables, before Python 3.14.",
    ),
    # The savers; those of packages that are not installed are left out.
    target(
        "get_checkpoint_metadata",
        (
            "langgraph.checkpoint.base",
            MEMORY,
            SQLITE,
            ASQLITE,
        ),
        {"": {"33980e49ceb8525e"}},
        "saver_base:make_get_checkpoint_metadata",
        "Makes the metadata to store with a checkpoint.",
        "Config and metadata in plain dicts, or chains of them.",
    ),
    target(
        "InMemorySaver.get_next_version",
        (MEMORY,),
        {"": {"4f28c2cae6b9a3d7"}},
        "saver_base:make_get_next_version",
        "Makes the version after another.",
        "Versions as it makes them, and those it starts from.",
    ),
    target(
        "SqliteSaver.get_next_version",
        (SQLITE,),
        {"": {ABSENT, "4f28c2cae6b9a3d7"}},
        "saver_base:make_get_next_version",
        "Makes the version after another.",
        "Versions as it makes them, and those it starts from.",
    ),
    target(
        "AsyncSqliteSaver.get_next_version",
        (ASQLITE,),
        {"": {ABSENT, "4f28c2cae6b9a3d7"}},
        "saver_base:make_get_next_version",
        "Makes the version after another.",
        "Versions as it makes them, and those it starts from.",
    ),
    target(
        "BasePostgresSaver.get_next_version",
        (BASE_POSTGRES,),
        {"": {ABSENT, "4f28c2cae6b9a3d7"}},
        "saver_base:make_get_next_version",
        "Makes the version after another.",
        "Versions as it makes them, and those it starts from.",
    ),
    target(
        "InMemorySaver.__init__",
        (MEMORY,),
        {"": {"93b06d78bac440dd"}},
        "memory_saver:make_init",
        "Makes a saver whose dicts know which of their keys are a thread's.",
        "Exactly `InMemorySaver` without a `factory`.",
    ),
    target(
        "InMemorySaver.put",
        (MEMORY,),
        {"": {"6b87fe2dca1b14c7"}},
        "memory_saver:make_put",
        "Saves a checkpoint.",
        "Exactly `InMemorySaver`, config and checkpoint in plain dicts.",
    ),
    target(
        "InMemorySaver.put_writes",
        (MEMORY,),
        {"": {"0c1dfc2bc5f8b41f"}},
        "memory_saver:make_put_writes",
        "Saves what a task wrote.",
        "Exactly `InMemorySaver`, config in plain dicts.",
    ),
    target(
        "InMemorySaver.get_tuple",
        (MEMORY,),
        {"": {"a0e6b1abf001f9c9"}, "as stored": {"52b319daaf513617"}},
        "memory_saver:make_get_tuple",
        "Loads a checkpoint, the latest one without looking through all.",
        "Exactly `InMemorySaver`, config in plain dicts.",
        (MEMORY_READS, TUPLES),
    ),
    target(
        "InMemorySaver.list",
        (MEMORY,),
        {"": {"d5e51e6720deb015"}, "as stored": {"938668e437faac7d"}},
        "memory_saver:make_list",
        "Lists checkpoints.",
        "Exactly `InMemorySaver`.",
        (MEMORY_READS, TUPLES),
    ),
    target(
        "InMemorySaver.delete_thread",
        (MEMORY,),
        {"": {"ebc8e05f3c7a1ac7"}},
        "memory_saver:make_delete_thread",
        "Deletes a thread without looking through the others.",
        "Exactly `InMemorySaver`.",
    ),
    target(
        "SqliteSaver.put_writes",
        (SQLITE,),
        {"": {ABSENT, "fef267b9b656e9cf", "63ac0183b6eaddc8"}},
        "sqlite_saver:make_put_writes",
        "Saves what a task wrote, encoding it before the lock is taken.",
        "Exactly `SqliteSaver` on exactly `sqlite3.Connection`.",
        (SQLITE_CURSOR,),
    ),
    target(
        "SqliteSaver.get_tuple",
        (SQLITE,),
        {"": {ABSENT, "2f9612bb2273ab64", "d820e2ab34c61f63"}},
        "sqlite_saver:make_get_tuple",
        "Loads a checkpoint, decoding it after the lock was given back.",
        "Exactly `SqliteSaver` on exactly `sqlite3.Connection`.",
        (SQLITE_CURSOR, SQLITE_READS, TUPLES),
    ),
    saver(
        "AsyncSqliteSaver.aput",
        ASQLITE,
        {ABSENT, "225f601c917a1511"},
        "async_sqlite_saver:make_aput",
        "Saves a checkpoint in one trip to the connection's thread instead of three.",
        "Exactly `AsyncSqliteSaver` on exactly aiosqlite's and `sqlite3`'s connections.",
        (SQLITE_TRIPS,),
    ),
    saver(
        "AsyncSqliteSaver.aput_writes",
        ASQLITE,
        {ABSENT, "c7453aa384bfd90d", "61dad30f36582801"},
        "async_sqlite_saver:make_aput_writes",
        "Saves what a task wrote, encoding it before the lock is taken, in one trip instead of "
        "four.",
        "Exactly `AsyncSqliteSaver` on exactly aiosqlite's and `sqlite3`'s connections.",
        (SQLITE_TRIPS,),
    ),
    saver(
        "AsyncSqliteSaver.adelete_thread",
        ASQLITE,
        {ABSENT, "30582758b6ef0703"},
        "async_sqlite_saver:make_adelete_thread",
        "Deletes a thread in one trip instead of five.",
        "Exactly `AsyncSqliteSaver` on exactly aiosqlite's and `sqlite3`'s connections.",
        (SQLITE_TRIPS,),
    ),
    saver(
        "AsyncSqliteSaver.aget_tuple",
        ASQLITE,
        {ABSENT, "8e53d2bcaa70746f", "8668703c497d4984"},
        "async_sqlite_saver:make_aget_tuple",
        "Loads a checkpoint in one trip instead of six, decoding it after the lock was given back.",
        "Exactly `AsyncSqliteSaver` on exactly aiosqlite's and `sqlite3`'s connections.",
        (
            SQLITE_TRIPS,
            SQLITE_READS,
            TUPLES,
            {f"{SQLITE}:SqliteSaver.get_tuple": {ABSENT, "2f9612bb2273ab64", "d820e2ab34c61f63"}},
        ),
    ),
    saver(
        "AsyncSqliteSaver.alist",
        ASQLITE,
        {ABSENT, "0fd0b79addec55a0", "cf1add8966224004", "c6fa070131f4d970"},
        "async_sqlite_saver:make_alist",
        "Lists checkpoints with one trip for each instead of two.",
        "Exactly `AsyncSqliteSaver` on exactly aiosqlite's and `sqlite3`'s connections.",
        (SQLITE_TRIPS, SQLITE_READS),
    ),
    saver(
        "PostgresSaver._cursor",
        POSTGRES,
        {ABSENT, "8252f5caf113be5a"},
        "postgres_saver:make_cursor",
        "Opens a cursor, several at once on a pool.",
        "Exactly `PostgresSaver`; without the lock on exactly psycopg's `ConnectionPool`, none "
        "that limits who waits.",
        ({f"{POSTGRES}._internal:get_connection": {"aab23ae496c2d811"}},),
    ),
    saver(
        "PostgresSaver.put",
        POSTGRES,
        {ABSENT, "8a3fc16e84e5c618", "ff79d9a77f25612e"},
        "postgres_saver:make_put",
        "Saves a checkpoint, encoding it before the lock and the connection are taken.",
        "Exactly `PostgresSaver`.",
        (POSTGRES_CURSOR, POSTGRES_DUMPS),
    ),
    saver(
        "PostgresSaver.put_writes",
        POSTGRES,
        {ABSENT, "282f44e17cd3fe04"},
        "postgres_saver:make_put_writes",
        "Saves what a task wrote, encoding it before the lock and the connection are taken.",
        "Exactly `PostgresSaver`.",
        (POSTGRES_CURSOR, POSTGRES_DUMPS),
    ),
    saver(
        "PostgresSaver.get_tuple",
        POSTGRES,
        {ABSENT, "54a35c4ceb936d14"},
        "postgres_saver:make_get_tuple",
        "Loads a checkpoint, decoding it after the lock and the connection were given back.",
        "Exactly `PostgresSaver`.",
        (POSTGRES_CURSOR,),
    ),
    saver(
        "AsyncPostgresSaver._cursor",
        APOSTGRES,
        {ABSENT, "2986d9eb4fbb722e"},
        "postgres_saver:make_async_cursor",
        "Opens a cursor, several at once on a pool.",
        "Exactly `AsyncPostgresSaver`; without the lock on exactly psycopg's "
        "`AsyncConnectionPool`, none that limits who waits.",
        ({f"{POSTGRES}._ainternal:get_connection": {"32d2b6a3faf756fa"}},),
    ),
    saver(
        "AsyncPostgresSaver.aput",
        APOSTGRES,
        {ABSENT, "dd1ebc438a97286a", "c07fcb7a2ff19f6b"},
        "postgres_saver:make_aput",
        "Saves a checkpoint, encoding it before the lock and the connection are taken.",
        "Exactly `AsyncPostgresSaver`.",
        (APOSTGRES_CURSOR, POSTGRES_DUMPS),
    ),
    saver(
        "AsyncPostgresSaver.aget_tuple",
        APOSTGRES,
        {ABSENT, "8e02f8d5334fde46"},
        "postgres_saver:make_aget_tuple",
        "Loads a checkpoint, decoding it after the lock and the connection were given back.",
        "Exactly `AsyncPostgresSaver`.",
        (APOSTGRES_CURSOR,),
    ),
    saver(
        "AsyncPostgresSaver._load_checkpoint_tuple",
        APOSTGRES,
        {ABSENT, "f6da324963b6e473"},
        "postgres_saver:make_load_checkpoint_tuple",
        "Decodes a row, in a thread only if it has pending writes.",
        "Exactly `AsyncPostgresSaver`, rows without pending writes.",
        (
            {
                f"{POSTGRES}:PostgresSaver._load_checkpoint_tuple": {"8e8b6a0d34d70c6d"},
                f"{BASE_POSTGRES}:BasePostgresSaver._load_writes": {
                    "6bf4ee26205ed42e",
                    "da8b75bff0e69f5e",
                },
            },
        ),
    ),
    # The checkpoint codec.
    target(
        "_msgpack_enc",
        (JSONPLUS,),
        {"": {"5e2df895638994cb"}},
        "encoder:make_msgpack_enc",
        "Encodes a checkpoint or one value of a channel as msgpack.",
        "Native values, exact types of the standard library, models, messages, dataclasses, named "
        "tuples, enumerations, `Send`s and arrays; the object of any other class is handed to "
        "`_msgpack_default`.",
        (
            SERDE_TYPES,
            {
                SERDE_DEFAULT: {"3061d2377d00411a", "0daa080fd44d6a9a"},
                SERDE_SNAPSHOT: {ABSENT, "8a9b6cea73ea8e9a"},
            },
        ),
        switched=f"{PACKAGE}.encoder:switched",
        binaries=MSGPACK,
    ),
    target(
        "JsonPlusSerializer.loads_typed",
        (JSONPLUS,),
        {"": {"83b0dc580889f194"}},
        "decoder:make_loads_typed",
        "Makes a value of the bytes in which a checkpoint stores it.",
        "MessagePack in `bytes`, by a serializer with LangGraph's own extension hook.",
        (DECODES, MESSAGES),
        binaries=MSGPACK_READ,
    ),
)
