"""Files, names, texts and requests at their worst, put through the commands that read them: each does its work or
refuses plainly, runs nothing that it read, and is soon done.

`python -m tests.bad_inputs` makes every case from a seed, tries each in a process of its own and prints the score;
`--json FILE` writes it for publishing.
"""
