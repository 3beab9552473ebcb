"""Vehicles that follow each other by what they are told: control laws, string stability."""
