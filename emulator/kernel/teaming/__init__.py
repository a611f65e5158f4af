"""Teams: their ports, options and modes (drivers/net/team)."""
