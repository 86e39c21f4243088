"""The replica: a hot standby for reads that may lag, such as the desk's lists and exports.

`REPLICA_DATABASE_URL` names it. `reading` decides by request and leads the reads, `router` sends
the ORM's queries there, `watch` knows how far it is, `own_writes` remembers how far a reader has
written, `positions` asks both servers. Placing, carts, checkout, payment, steps and jobs never read
it.
"""

ALIAS = "replica"
"""Its connections. The alias exists only where the setting names a server."""
