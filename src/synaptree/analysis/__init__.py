"""Analysis: questions that are asked of a frame of results."""
