"""What is said? Message families and their sizes on the wire."""
