"""Paying a roadside unit while driving past it."""
