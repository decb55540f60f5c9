"""Training: what decides a run, its data, its replicas, and the one loop."""
