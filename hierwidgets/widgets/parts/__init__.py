"""What the instruments are built from."""
