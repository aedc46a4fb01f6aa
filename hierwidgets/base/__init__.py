"""What every layer may use: array names, checks, colours, progress, tables."""
