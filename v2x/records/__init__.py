"""What happened? Tables, outcomes and the run folder."""
