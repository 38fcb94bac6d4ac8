"""`tertulia` that waits longer at its end for connections without a request: how quick a test is decides nothing."""

from tertulia.cli import main
from tertulia.serving import server

if __name__ == "__main__":
    server.IDLE_SECONDS = 60.0
    main(prog_name="tertulia")
