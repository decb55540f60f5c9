"""Measures of one trained network, each a function of its activities or updates."""
