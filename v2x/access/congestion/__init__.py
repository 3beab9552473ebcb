"""How much may be said? Congestion control as strategies around applications and access."""
