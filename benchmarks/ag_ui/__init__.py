"""What a request costs through AG-UI; run as python -m benchmarks.ag_ui."""
