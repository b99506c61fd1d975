"""Compiles the probe as setup.py compiles the extensions; run in the root of a copy."""

from __future__ import annotations

import runpy

from Cython.Build import cythonize
from setuptools import Extension, setup

described = runpy.run_path("setup.py")
build = described["BUILDS"][described["load_settings"]().build()]
setup(
    name="probe",
    packages=[],
    ext_modules=cythonize(
        Extension(
            "tools.checked.probe",
            ["tools/checked/probe.pyx"],
            extra_compile_args=build.flags,
            extra_link_args=build.link,
        ),
        compiler_directives={**described["DIRECTIVES"], **build.directives},
    ),
)
