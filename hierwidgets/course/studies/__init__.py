"""Computations of single lectures that are longer than a notebook cell."""
