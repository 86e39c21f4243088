"""Work by the clock: beat's entries, daily work, the relay's sweeps, pruning."""
