"""What can be decoded? Resource pool, transport blocks, error curves, reception."""
