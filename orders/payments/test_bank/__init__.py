"""The test bank: the payment provider of a local run, at /test-bank/. It moves no money."""
