"""Following a stolen vehicle, and what that means for everybody else."""
