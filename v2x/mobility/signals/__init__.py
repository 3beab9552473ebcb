"""Traffic lights: who goes when, what is known of it, and who may ask for more."""
