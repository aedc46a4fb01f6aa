"""A fit and what is read off it."""
