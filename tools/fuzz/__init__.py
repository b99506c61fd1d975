"""Fuzzing of the checkpoint decoder, under AddressSanitizer and UBSan."""
