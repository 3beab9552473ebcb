"""Conflicts between road users as they happen."""
