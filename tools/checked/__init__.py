"""The own test suite on extensions that are compiled with checks: sanitizers, or a debug build."""
