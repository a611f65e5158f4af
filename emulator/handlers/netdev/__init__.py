"""The netdev family, a file a group of commands."""
