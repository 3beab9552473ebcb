"""How good was it? Figures computed from records alone."""
