"""Ranges of parameters."""

from __future__ import annotations


def check_ranges(params: object, *ranges: tuple[str, float, float]) -> None:
    """Raise ValueError if a field of `params` lies outside its range.

    Parameters
    ----------
    params
        Holds the fields; one that is None has no value to check.
    *ranges
        Name of a field, and the least and largest value that it may have.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> check_ranges(SimpleNamespace(rate_hz=70.0), ("rate_hz", 0.1, 50.0))
    Traceback (most recent call last):
    ...
    ValueError: rate_hz must be within 0.1 and 50, got 70.0
    """
    for name, low, high in ranges:
        value = getattr(params, name)
        if value is not None and not low <= value <= high:
            raise ValueError(f"{name} must be within {low:g} and {high:g}, got {value}")
