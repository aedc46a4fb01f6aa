"""First differences and slopes, of fits and of draws."""
