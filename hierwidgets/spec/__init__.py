"""What is fitted: formula, family, frame, covariance template, design."""
