"""Studies: many runs from one file, planned, trained beside each other and kept in a folder."""
