"""Remote driving: pictures up, commands down, and a stop when either gets too old."""
