"""The data, and what can be known exactly about it."""
