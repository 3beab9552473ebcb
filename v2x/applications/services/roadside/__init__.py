"""What roadside units tell: maps, lights, signs, events and road users."""
