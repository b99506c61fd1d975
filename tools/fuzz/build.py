"""Compiles the extensions that decode with sanitizers, in a copy of the package. Run in it."""

from __future__ import annotations

import runpy

from Cython.Build import cythonize
from setuptools import Extension, setup

FUZZED = (
    "fastgraph.kernels.slots",
    "fastgraph.kernels.tally",
    "fastgraph.kernels.msgpack_reader",
    "fastgraph.adapters.langgraph.decoded_models",
    "fastgraph.adapters.langgraph.decoder",
)
FLAGS = ["-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined"]
COMPILE = [*FLAGS, "-fno-sanitize-recover=undefined", "-fsanitize-coverage=trace-pc"]

described = runpy.run_path("setup.py")
setup(
    ext_modules=cythonize(
        [
            Extension(
                name,
                [described["EXTENSIONS"][name]],
                extra_compile_args=COMPILE,
                extra_link_args=FLAGS,
            )
            for name in FUZZED
        ],
        compiler_directives=described["DIRECTIVES"],
    ),
    packages=[],
    script_args=["--quiet", "build_ext", "--inplace", "--parallel", "2"],
)
