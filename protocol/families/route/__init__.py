"""rtnetlink, declared: a file a group of messages."""
