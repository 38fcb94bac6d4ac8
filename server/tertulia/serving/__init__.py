"""Serving: our protocol classes for uvicorn, which bound what a client can cost and let rooms write ready frames.

    accepting   connections are taken while there are files for them
    limiter     how many connections, in all and from one address
    http        a request's head and body in bounds of size, pieces and time; the end after an answer
    heads       what of a head is refused before it is parsed
    parser      h11's parser, which counts what a body is cut into
    handshake   the plain handshake of WebSocket, answered without the library
    websocket   a WebSocket until a reader is attached to it
    detached    a reader's connection: one slotted object instead of a task and a queue
    timeouts    how long clients may take
    lifetimes   what a lost connection leaves is freed at once
    refusals    what is answered without the application
    unread      output that clients have not read yet, of all connections together
    stats       what the server counts while it serves
    listening   the listening socket
    server      uvicorn on it, and a graceful shutdown

Used by the composition alone; metrics read the stats. The application itself is plain ASGI and runs,
slower, on any other server.
"""
