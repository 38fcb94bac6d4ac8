"""Live delivery: rooms of readers, each with a cursor into the log of its discussion.

hub        the rooms of this process, and what is done for all of them at times
room       the readers of one discussion: tasks, reads of the store, what is sent when
backlog    the newest stretch of its log, and what a message does to it: pure
budget     how much all backlogs hold together
frames     one message made once for all readers
summary    what busy rooms send instead of everything
rate       how busy a room is: pure
presence   how many read and write, here and at other instances
reader     a reader, the port of its connection, and that of its room
stats      what rooms count
tuning     the numbers of all of these
"""
