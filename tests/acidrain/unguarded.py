"""The shop as gunicorn serves it, without its guards."""

from project.wsgi import application
from tests.acidrain.without_guards import take_out_guards

__all__ = ["application"]

take_out_guards()
