"""What a receiver finds out by itself: whether claims can be true (F2MD checks, and our own)."""
