"""Draws from the posterior of a design."""
