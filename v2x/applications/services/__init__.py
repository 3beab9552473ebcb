"""Cooperation and services: who sends what beside its state, and acts on what others answer."""
