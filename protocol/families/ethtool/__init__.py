"""The ethtool family, declared."""
