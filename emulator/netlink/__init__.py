"""What every family needs of netlink: a request being answered, dumps, groups, who answers what."""
