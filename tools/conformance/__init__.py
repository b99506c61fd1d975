"""Upstream's own test suites, run on stock and on the patched engine."""
