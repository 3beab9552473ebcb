"""What a road user knows of others: heard, seen, and where that is on the road."""
