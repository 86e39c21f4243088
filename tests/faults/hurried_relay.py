"""`manage.py relay` with the short waits of `hurried_workers`; run as `python -m`."""

from tests.faults.hurried_workers import app

if __name__ == "__main__":
    import signal

    import django

    django.setup()
    from project.relay import Relay
    from tests.faults.hurried_workers import hurry

    hurry()
    relay = Relay(app)
    signal.signal(signal.SIGTERM, lambda *_: relay.stop())
    relay.run()
