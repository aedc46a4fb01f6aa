"""The lecture page: its numbers, and ours beside them."""
