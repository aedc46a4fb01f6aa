"""What the boundary explorer shows: the hill and its penalties, elections made up, words."""
