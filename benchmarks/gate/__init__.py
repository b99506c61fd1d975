"""The gate: instructions per superstep and per codec call, held against those of a baseline."""
