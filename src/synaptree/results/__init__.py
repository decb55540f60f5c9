"""Results: the columns of a row, the journal that keeps rows, and exports for other programs."""
