"""Whether a rule keeps to the contract of `rules.base`, and what to write where it does not."""
