"""A cluster on this machine to watch and to kill: instances of the server, a real Redis protocol, a real PostgreSQL.

page ─ buttons ─▶ cluster ─▶ services (processes)       probe writer ─┐
  ▲                             ▲                                     ├─▶ load balancers ─▶ instances
  └── snapshots ◀── timeline ◀──┴── delivery check ◀── probe readers ─┘
"""

from tertulia.showcase.demo.demonstration import Options, demonstrate

__all__ = ["Options", "demonstrate"]
