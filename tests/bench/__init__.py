"""Measurements of single parts, each a module with a main(): what `nlemu bench` has no room for."""
