"""MPLS: what a device has of it, and the table by which labelled packets would go (net/mpls)."""
