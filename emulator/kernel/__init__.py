"""The model: namespaces, devices, queues, drivers. Plain objects and verbs; no bytes, no messages, no sockets."""
