"""The local run, `bin/up`: servers and processes started, watched and stopped together."""
