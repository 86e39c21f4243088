"""The queues as operators see them: paused and resumed, and watched minute by minute."""
