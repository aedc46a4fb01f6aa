"""The figures of the lectures, one module for a kind."""
