"""A cluster on this machine to watch and to kill: instances of the server, a real Redis protocol, a real PostgreSQL.

page ─ buttons ─▶ cluster ─▶ parts (processes)           writer ─┐
  ▲                                ▲                             ├─▶ fronts ─▶ instances
  └── snapshot ◀── story ◀── evidence ◀── what was seen ◀── readers (and the panes of the browser)
"""

from tertulia.demo.demonstration import Options, demonstrate

__all__ = ["Options", "demonstrate"]
