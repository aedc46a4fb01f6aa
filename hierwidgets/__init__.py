"""Hierarchical models."""
