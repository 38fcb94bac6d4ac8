"""Sizes that no machine here can hold, simulated from what was measured: ``python -m bench.simulation``.

    figures  what was measured, what the code says, and what is assumed
    hot      one article that a million read: the loop of one instance, slice by slice
    storm    readers that come back: attempts over the instances that are left, each with its accept queue
    many     100,000 discussions: which instance has which, and what that costs
    page     the tables of docs/scaling.md

The same seed gives the same tables on every machine.
"""
