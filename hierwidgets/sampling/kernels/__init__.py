"""The log posterior density and its gradient, compiled: what a sampler calls."""
