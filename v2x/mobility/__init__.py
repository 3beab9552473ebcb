"""Where are road users? Models that move them, and the state they hand on."""
