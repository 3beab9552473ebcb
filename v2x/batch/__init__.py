"""Many runs: plans, workers that carry them out, and their results as tables."""
