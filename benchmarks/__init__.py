"""Burnish measured against others and against the machine: a command each, `python -m benchmarks.NAME`."""
