"""Applications in a run: what everybody knows each tick, who is warned, and who says what."""
