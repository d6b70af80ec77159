"""Crashes of every sort against real training. `python -m tests.crash --help` for the full sizes."""
