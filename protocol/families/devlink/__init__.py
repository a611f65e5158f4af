"""The devlink family: devices behind network devices, and what is in them (net/devlink).

Its attributes, then its commands.
"""
