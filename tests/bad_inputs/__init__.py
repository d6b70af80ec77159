"""Data files as people have them at their worst, put through `burnish prepare`: nothing is lost without a reason.

`python -m tests.bad_inputs` makes every file by chance from a seed, runs the command on each and prints the score.
"""
