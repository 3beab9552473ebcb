"""What goes wrong on the road of a scenario, once and at one place."""
