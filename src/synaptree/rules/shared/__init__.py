"""What several rules share: chains of feedback, feedback weights, predictions, projections."""
