"""Why do they transmit? Applications that generate packets."""
