"""What the generative ladder shows: parameters, what they imply, draws, and words."""
