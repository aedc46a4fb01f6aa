"""Pictures that are parts of instruments."""
