"""Physical devices: netdevsim, and NICs from profiles."""
