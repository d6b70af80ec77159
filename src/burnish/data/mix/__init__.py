"""Which rows are used how often, in which order, and what happens to those that are too long."""
