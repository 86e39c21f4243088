"""The door for shopping agents: the Universal Commerce Protocol's business side.

`rest` and `mcp` take a request, `negotiation` says who asks and what both sides can, `operations`
does it: `catalog`, `carts`, `checkouts`, `completing` and `order_entity`, one a capability. All
orders are placed by `place_order`, as those of people are. See docs/agents.md.
"""
