"""Programs of every day on Linux and here: scripts whose whole output is compared.

What stands in fixtures/scripts is a shell script, and beside it what it printed on Linux. A script runs in a network
namespace and mounts of its own, as an ordinary user here and as root there.
"""
