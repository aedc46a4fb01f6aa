"""What is read off draws."""
