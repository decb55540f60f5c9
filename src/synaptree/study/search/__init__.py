"""Searches: every rule gets the same number of settings and the same budget, by construction."""
