"""Training: the spec of a run, its data, the replicas that train together, and the one loop."""
