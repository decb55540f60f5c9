"""The locality audit: what each synapse must know, found by changing one thing at a time."""
