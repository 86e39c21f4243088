"""Several machines: what a shop survives when one of them is lost."""
