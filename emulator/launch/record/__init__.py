"""`nlemu record`: programs on the real kernel, whose netlink sockets are read along."""
