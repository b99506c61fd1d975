"""What a superstep costs, stock against patched, beside what is wanted; see `__main__`."""
