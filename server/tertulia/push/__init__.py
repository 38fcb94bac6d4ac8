"""Live delivery over the network: WebSocket, Server-Sent Events and the JSON catch-up, from the same rooms."""

from tertulia.push.endpoints import Push

__all__ = ["Push"]
