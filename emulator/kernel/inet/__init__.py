"""What IPv4 and IPv6 share: rules, neighbours, memberships."""
