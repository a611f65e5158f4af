"""Namespaces and what everything else stands on: the clock, deferred work, notifier chains, names."""
