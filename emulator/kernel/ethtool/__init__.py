"""What ethtool reads and sets of a device."""
