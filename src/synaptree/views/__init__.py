"""Views: what a layerwise rule may compare an activity with, one view a file."""
