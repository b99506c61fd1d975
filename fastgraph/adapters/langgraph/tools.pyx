"""A call of a tool with nobody to tell of it.

Upstream makes the run, leaves out of the arguments what handlers are not to see and writes them
down. The tool's own methods are called as upstream calls them, in the context that it makes.

Domain: no handlers, arguments of plain values (strings, numbers, None). Whoever is told goes
through upstream's function, and so does the text of other values, which is somebody's code.
"""

from inspect import signature

from langchain_core.callbacks import manager as _manager
from langchain_core.callbacks.manager import CallbackManager as _CallbackManager
from langchain_core.runnables.config import var_child_runnable_config as _child_config
from langchain_core.tools import base as _base

from fastgraph.adapters.langgraph.callbacks cimport is_stock, new_run_id, own_function, run_of
from fastgraph.adapters.langgraph.core_config cimport with_callbacks
from fastgraph.adapters.langgraph.core_managers cimport configured, is_unheard
from fastgraph.kernels.tally cimport Tally

cdef extern from "Python.h":
    object PyContext_CopyCurrent()
    int PyContext_Enter(object context) except -1
    int PyContext_Exit(object context) except -1
    object PyContextVar_Set(object var, object value)

cdef object CallbackManager = _CallbackManager
cdef object ToolRun = _manager.CallbackManagerForToolRun
cdef object BaseTool = _base.BaseTool
cdef object child_config_var = _child_config
cdef object run_init = own_function(_manager, ToolRun.__init__)
cdef object tool_start = own_function(_manager, _CallbackManager.on_tool_start)
cdef object tool_end = own_function(_manager, ToolRun.on_tool_end)
cdef object tool_error = own_function(_manager, ToolRun.on_tool_error)
cdef object filter_injected = own_function(_base, BaseTool._filter_injected_args)
cdef dict base_names = _base.__dict__

cdef object stock_run
cdef Tally run_tally
#: From LangChain 1.7.5 on, a tool's run ends with every exception, also with those that stop all.
cdef bint ends_with_any


cdef bint makes_runs() noexcept:
    """Whether upstream's own methods start and end the runs of tools."""
    return (
        is_stock(CallbackManager, "on_tool_start", tool_start)
        and is_stock(ToolRun, "__init__", run_init)
        and is_stock(ToolRun, "on_tool_end", tool_end)
        and is_stock(ToolRun, "on_tool_error", tool_error)
    )


cdef bint is_plain(object tool_input) except -1:
    """Whether writing the input down runs nobody's code."""
    if type(tool_input) is str:
        return True
    if type(tool_input) is not dict:
        return False
    for key, value in (<dict>tool_input).items():
        kind = type(value)
        if type(key) is not str or not (
            kind is str or kind is int or kind is float or kind is bool or value is None
        ):
            return False
    return True


cdef object signature_of(object function):
    find = base_names.get("_signature_parameters")
    return signature(function).parameters if find is None else find(function)


cdef object called(object self, object tool_input, object config, object run, object tool_call_id):
    """What the tool's own function returns."""
    child = with_callbacks(config, run.get_child())
    context = PyContext_CopyCurrent()
    args, kwargs = self._to_args_and_kwargs(tool_input, tool_call_id)
    if signature_of(self._run).get("run_manager"):
        kwargs |= {"run_manager": run}
    param = base_names["_get_runnable_config_param"](self._run)
    if param:
        kwargs |= {param: config}
    function = self._run
    PyContext_Enter(context)
    try:
        PyContextVar_Set(child_config_var, child)
        return function(*args, **kwargs)
    finally:
        PyContext_Exit(context)


cdef tuple content_and_artifact(object response):
    """What a tool of that format returned: its two parts, else the error there is."""
    if isinstance(response, tuple):
        try:
            content, artifact = response
            return content, artifact, None
        except ValueError:
            pass
    message = (
        "Since response_format='content_and_artifact' a two-tuple of the message content and raw "
        f"tool output is expected. Instead, generated response is of type: {type(response)}."
    )
    return None, None, ValueError(message)


cdef tuple outcome(object self, object tool_input, object config, object run, object tool_call_id):
    """Content, artifact, status, and the error to raise."""
    artifact = None
    error_to_raise = None
    try:
        response = called(self, tool_input, config, run, tool_call_id)
        if self.response_format == "content_and_artifact":
            content, artifact, error_to_raise = content_and_artifact(response)
        else:
            content = response
    except (base_names["ValidationError"], base_names["ValidationErrorV1"]) as error:
        if not self.handle_validation_error:
            return None, None, None, error
        content = base_names["_handle_validation_error"](error, flag=self.handle_validation_error)
        return content, artifact, "error", None
    except base_names["ToolException"] as error:
        if not self.handle_tool_error:
            return None, None, None, error
        content = base_names["_handle_tool_error"](error, flag=self.handle_tool_error)
        return content, artifact, "error", None
    except BaseException as error:
        if not ends_with_any and not isinstance(error, (Exception, KeyboardInterrupt)):
            raise
        return None, None, None, error
    return content, artifact, "success", error_to_raise


cdef object unheard(
    object self, object tool_input, object color, object callbacks, object tags, object metadata,
    object run_id, object config, object tool_call_id, dict kwargs,
):
    """`run` with nobody to tell of it."""
    manager = configured(
        CallbackManager, callbacks, self.callbacks, tags, self.tags, metadata, self.metadata
    )
    run = run_of(manager, ToolRun, new_run_id() if run_id is None else run_id)
    content, artifact, status, error = outcome(self, tool_input, config, run, tool_call_id)
    if error:
        if run.handlers:
            run.on_tool_error(error, tool_call_id=tool_call_id)
        raise error
    output = base_names["_format_output"](content, artifact, tool_call_id, self.name, status)
    if run.handlers:
        run.on_tool_end(output, color=color, name=self.name, **kwargs)
    return output


def run(
    self,
    tool_input,
    verbose=None,
    start_color="green",
    color="green",
    callbacks=None,
    *,
    tags=None,
    metadata=None,
    run_name=None,
    run_id=None,
    config=None,
    tool_call_id=None,
    **kwargs,
):
    """Run the tool.

    Replaces `langchain_core.tools.base.BaseTool.run`.
    """
    run_tally.calls += 1
    if (
        is_plain(tool_input)
        and not verbose
        and not self.verbose
        and is_unheard(callbacks, self.callbacks)
        and makes_runs()
        and is_stock(type(self), "_filter_injected_args", filter_injected)
    ):
        return unheard(
            self, tool_input, color, callbacks, tags, metadata, run_id, config, tool_call_id,
            kwargs,
        )
    run_tally.fell_back("handlers, or arguments of other classes")
    return stock_run(
        self,
        tool_input,
        verbose,
        start_color,
        color,
        callbacks,
        tags=tags,
        metadata=metadata,
        run_name=run_name,
        run_id=run_id,
        config=config,
        tool_call_id=tool_call_id,
        **kwargs,
    )


def make_run(original, Tally tally not None, str variant not None):
    """`variant` says which exceptions end a tool's run."""
    global stock_run, run_tally, ends_with_any
    stock_run, run_tally = original, tally
    ends_with_any = variant == "any exception"
    return run
