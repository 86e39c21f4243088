"""The test bank: a payment provider of a local run, with pages at /test-bank/. It moves no money."""
