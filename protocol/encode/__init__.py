"""Requests by the names of a specification, and conversations made of them."""
