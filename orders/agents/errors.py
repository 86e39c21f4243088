"""What goes wrong, on the protocol's two layers.

A `ProtocolError` is of the transport: the request couldn't be served. An `Outcome` is of the
business: it was served, and there is nothing to show but messages (overview, Error Handling).
"""

from typing import Any


class ProtocolError(Exception):
    """The request is answered with this HTTP status; over MCP with a JSON-RPC error."""

    def __init__(
        self, status: int, code: str, content: str, *, retry_after: int = 0, **members: Any
    ) -> None:
        super().__init__(content)
        self.status, self.code, self.content = status, code, content
        self.retry_after = retry_after
        """Seconds; 0: the client isn't asked to wait."""
        self.members = members
        self.headers: dict[str, str] = {}

    @property
    def body(self) -> dict[str, Any]:
        return {"code": self.code, "content": self.content, **self.members}


class NotAllowed(ProtocolError):
    """The request needs a person's consent, or another one (identity-linking, Error Handling)."""

    def __init__(
        self, status: int, code: str, content: str, *, realm: str, **challenge: str
    ) -> None:
        messages = [
            {
                "type": "error",
                "code": code,
                "content": content,
                "severity": "requires_buyer_review",
            }
        ]
        # Where a person gets an account; an address of OAuth is the platform's to make.
        members: dict[str, Any] = {}
        if status == 401:
            members["continue_url"] = f"{realm}/accounts/login/"
        super().__init__(status, code, content, messages=messages, **members)
        resource = f"{realm}/.well-known/oauth-protected-resource"
        parts = {"realm": realm, **challenge, "resource_metadata": resource}
        said = ", ".join(f'{name}="{value}"' for name, value in parts.items())
        self.headers = {"WWW-Authenticate": f"Bearer {said}"}


class PlatformBlocked(ProtocolError):
    """An operator has blocked the platform. Their reason is the shop's own, and isn't told."""

    def __init__(self) -> None:
        code, content = (
            "platform_blocked",
            "This shop takes no carts and checkouts of this platform.",
        )
        messages = [
            {"type": "error", "code": code, "content": content, "severity": "unrecoverable"}
        ]
        super().__init__(403, code, content, messages=messages)


class InvalidInput(ProtocolError):
    """The request has no such shape; `path` names the field."""

    def __init__(self, content: str, *, path: str = "$") -> None:
        self.path, self.reason = path, content
        messages = [
            {
                "type": "error",
                "code": "invalid",
                "content": content,
                "path": path,
                "severity": "recoverable",
            }
        ]
        said = content if path == "$" else f"{path}: {content}"
        super().__init__(400, "invalid_request", said, messages=messages)

    def within(self, name: str) -> "InvalidInput":
        """Return the error of a request that has the payload under this name."""
        return InvalidInput(self.reason, path=f"$.{name}{self.path.removeprefix('$')}")


class Outcome(Exception):
    """There is no resource to answer with: `code` says why."""

    def __init__(self, code: str, content: str, *, status: int = 200) -> None:
        super().__init__(content)
        self.code, self.content, self.status = code, content, status
