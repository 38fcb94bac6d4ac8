"""``python -m tests.serving.timed head=1,body=2 serve …``: the server with other timeouts, in seconds."""

import sys
from functools import partial

from tertulia import workers
from tertulia.serving.timeouts import Timeouts

if __name__ == "__main__":
    given = dict(pair.split("=") for pair in sys.argv.pop(1).split(","))
    timeouts = Timeouts(**{name: float(seconds) for name, seconds in given.items()})
    # before the command is imported, which takes it from there
    workers.serve_one = partial(workers.serve_one, timeouts=timeouts)

    from tertulia.cli import main

    main(prog_name="tertulia")
