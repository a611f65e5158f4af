"""Bridges: what net/bridge keeps and does, apart from the device that stands for it (links/bridge.py)."""
