"""Who transmits where? Access technologies behind one protocol."""
