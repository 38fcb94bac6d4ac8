"""``python -m tests.serving.timed head=1,body=2 serve …``: the server with other timeouts, in seconds."""

import sys
from functools import partial

from tertulia import cli
from tertulia.serving.timeouts import Timeouts
from tertulia.workers import serve_one

if __name__ == "__main__":
    given = dict(pair.split("=") for pair in sys.argv.pop(1).split(","))
    timeouts = Timeouts(**{name: float(seconds) for name, seconds in given.items()})
    cli.serve_one = partial(serve_one, timeouts=timeouts)  # type: ignore[attr-defined]
    cli.main(prog_name="tertulia")
