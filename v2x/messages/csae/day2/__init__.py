"""Messages of the second stage, T/CSAE 157-2020, and the dialogues they make."""
