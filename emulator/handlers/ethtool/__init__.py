"""The ethtool family, a file a group of commands."""
