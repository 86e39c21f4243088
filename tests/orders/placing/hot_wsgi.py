"""The shop as gunicorn serves it, with the number of the answering process in each answer.

With HOT_IMPATIENT=1, for controls, without the lane in which a product that is in demand gets its
turn.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

from project.wsgi import application as shop
from tests.orders.placing.hot_process import lose_patience

if os.environ.get("HOT_IMPATIENT"):
    lose_patience()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        return start_response(status, [*headers, ("X-Process", str(os.getpid()))], *rest)

    return shop(environ, start)
