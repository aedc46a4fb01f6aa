"""The numbers behind the instruments: pure functions from a fit to a frame."""
