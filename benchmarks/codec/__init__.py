"""What the checkpoint codec costs: encoding, decoding and whole runs, stock against patched."""
