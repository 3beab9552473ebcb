"""Unaligned packed encoding rules, and types described by annotations."""
