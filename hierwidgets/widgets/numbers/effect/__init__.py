"""The numbers behind `CompetitivenessEffect`."""
