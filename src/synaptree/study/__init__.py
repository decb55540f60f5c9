"""Studies: which runs there are, where their results are kept, and what they say of the claims."""
