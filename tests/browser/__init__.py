"""What a browser makes of the pages that Burnish writes and serves: texts that act are opened, filtered, searched and
voted on in ten places, and nothing of them may run or ask for anything; then the pages as a person uses them, on a
phone, on paper and by keyboard.

`python -m tests.browser` needs a browser and playwright, which Burnish itself never does: it says how to get them.
"""
