"""The log-likelihood of a design, its maximum, and what follows at the maximum."""
