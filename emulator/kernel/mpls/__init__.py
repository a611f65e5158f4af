"""MPLS, as far as a device shows it: net/mpls."""
