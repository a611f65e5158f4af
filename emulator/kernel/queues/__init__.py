"""Queues and what uses them: NAPI, leases, page pools, memory providers, AF_XDP."""
