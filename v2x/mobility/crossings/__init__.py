"""People who cross the streets, on foot and on two wheels."""
