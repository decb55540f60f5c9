"""The figures of the report, one figure a file."""
