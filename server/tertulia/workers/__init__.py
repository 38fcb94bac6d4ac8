"""Workers: several processes of one server on one host, which share its port.

    supervisor  holds the port, starts the workers, starts again those that die, and ends them all
    worker      one process: the application on a listener of its own; the kernel spreads connections over them
    config      what the one tells the other

Workers share nothing but the database and Redis: to each other they are other instances. The
supervisor does not load the application.
"""
