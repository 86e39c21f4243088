"""The check of the browser tests: which of a page's logged errors count."""

from tests.browser.console import true_errors


def test_a_replaced_request_is_no_error_and_one_that_failed_is() -> None:
    replaced = ["htmx:afterRequest, [object HTMLInputElement]", "htmx:sendAbort, [object]"]
    failed = ["htmx:afterRequest", "htmx:sendError"]

    assert true_errors([*replaced, "Uncaught ReferenceError", *replaced]) == [
        "Uncaught ReferenceError"
    ]
    assert true_errors([*replaced, *failed]) == failed
    assert true_errors(failed) == failed
