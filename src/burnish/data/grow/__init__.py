"""More rows for train, made by a model that the user names: each marked as made, checked, and never in dev or test."""
