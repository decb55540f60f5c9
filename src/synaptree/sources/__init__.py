"""What runs are trained on: strings of a grammar or of a variant of it, or data of one's own."""
