"""Tables of the course: what the page prints, and results of long computations."""
