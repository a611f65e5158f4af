"""rtnetlink, a folder a group of messages."""
