"""The bus of several instances, over Redis or Valkey: one server, a master that Sentinel names, or a cluster.

bus           publishes and subscribes by discussion; knows which other instances live
wire          messages between instances as bytes
signing       their signatures: only a signed message is believed
port          which of Redis's servers carries a channel, answered by the next two
link          one server: a publisher and a subscriber
cluster       a link to each shard
publisher     the queue, and the one connection that sends it
subscriber    the one connection that receives, and the probes that show that it does
health        whether messages may be lost at the moment
connections   to an endpoint: commands, timeouts, backoff, kinds of failure
sentinel      the connector to whichever server is the master
tuning        how long the bus waits and how much it keeps
urls          where Redis is
clients       redis-py's own clients, for commands whose reply somebody waits for
"""
