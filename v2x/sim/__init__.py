"""When does it happen? The clock, the medium and the order inside a slot."""
