"""What the daily prune deletes of the shop's."""

from orders.accounts.unconfirmed import unconfirmed_accounts
from project.schedule.prune import prune_also

prune_also("unconfirmed accounts", unconfirmed_accounts)
