"""What can be measured on a trained network. Each measure is a function of activities."""
