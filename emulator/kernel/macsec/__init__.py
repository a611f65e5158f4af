"""MACsec beside its links: what a device keeps of channels and associations, who offloads it, and its frames."""
