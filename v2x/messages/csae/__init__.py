"""Day-1 messages of T/CSAE 53 and the rules that make them."""
