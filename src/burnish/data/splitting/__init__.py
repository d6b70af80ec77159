"""How many rows are held out, and which."""
