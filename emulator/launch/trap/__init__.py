"""System calls handed over: seccomp's filter, the caller's memory, the answer."""
