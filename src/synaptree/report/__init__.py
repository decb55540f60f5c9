"""The report: figures from the frame of results, and one self-contained page around them."""
