"""What can be seen of a run, recorded so that two runs can be compared: stock against patched.

Nothing here is used unless somebody asks for a comparison: the command ``fastgraph verify``, the
pytest plugin, or the tests of this project.
"""
