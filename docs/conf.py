"""The documentation's build: ``make docs``."""

import fastgraph

project = "fastgraph"
author = "The fastgraph developers"
copyright = f"2026, {author}"
version = release = fastgraph.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
# Files that GitHub shows too, so their links are to files rather than pages.
myst_heading_anchors = 3
napoleon_google_docstring = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = f"fastgraph {release}"
html_copy_source = False
