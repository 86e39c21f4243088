"""The local run, `bin/up`: it starts, watches and stops servers and processes together."""
