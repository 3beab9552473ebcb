"""How services went: traffic states, payments, parking, remote driving, tracking."""
