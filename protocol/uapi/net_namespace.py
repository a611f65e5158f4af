"""uapi/linux/net_namespace.h: ids of namespaces."""

NETNSA_NSID_NOT_ASSIGNED = -1
"""The id of a namespace that has none here."""
