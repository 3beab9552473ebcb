"""Who sits at the wheel: drivers without a fault, and people."""
