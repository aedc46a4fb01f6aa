"""Cross-validation and the scores it uses."""
