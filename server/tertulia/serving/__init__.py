"""Serving: our protocol classes for uvicorn, which bound what a client can cost and let rooms write ready frames.

    admission   how many connections, in all and from one address
    http        a request's head and body in bounds of size and time
    websocket   the handshake; then a detached reader: one slotted object instead of a task and a queue
    lifetimes   what a lost connection leaves is freed at once
    vitals      what it can tell of itself while it serves
    server      the listening socket, and an end in which readers are told to come back

Used by the composition alone; metrics read the vitals. The application itself is plain ASGI and runs,
slower, on any other server.
"""
