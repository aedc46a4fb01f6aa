"""A model of one's own data: what columns hold, what is wrong with them, the model, its code."""
