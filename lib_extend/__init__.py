"""Prompt Extend: captions that count, color and separate."""

__version__ = "0.1.0"
