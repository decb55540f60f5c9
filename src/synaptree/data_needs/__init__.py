"""How much data rules need: P* by bisection, in runs of the study engine."""
