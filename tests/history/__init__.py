"""What many people did to many instances, written down, and whether it keeps the promises.

records     what is written down, one JSON line each
stored      what the database and the instances say in the end
commands    what was asked and answered, against what is stored
logs        each discussion's log, and snapshots against it
reading     what readers were told
checker     all of it: named violations, and runs that prove nothing
"""
