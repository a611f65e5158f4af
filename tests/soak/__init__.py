"""A soak: a real daemon, and many clients that do whatever comes to their minds, for as long as one likes.

    python -m tests.soak --minutes N --seed S

The fuzzer (tests/fuzz) asks one machine in its own process; what it cannot meet is the edge: sockets, tasks, clients
that are killed, that hang up or never read, descriptors that run out, ten thousand namespaces, and memory that is not
given back. Here `nlemu serve` runs in a process of its own (daemon.py), with one verb more by which it tells what it
holds (inside.py). Clients in other processes make walks and play recorded requests (client.py), while this one does
what clients should not do (acts.py). After each round all is torn down, and everything has to be as it was (rounds.py).
What was found is in docs/reliability.md.
"""
