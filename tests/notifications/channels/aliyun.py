"""Aliyun's short message service for tests: it checks each signature, and answers as scripted.

The check is written from the specification, not from our code: "V3 request body and signature
mechanism" of Alibaba Cloud's documentation.
"""

import hashlib
import hmac
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, urlsplit

KEY_ID, SECRET = "testid", "test/secret"
SILENCE = (0, "")


class AliyunServer(ThreadingHTTPServer):
    """Answers each request with the next of `answers`: status and Code."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, str]] = []
        self.asked: list[dict[str, str]] = []
        self.nonces: set[str] = set()
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return (
            f"aliyun+http://{KEY_ID}:{quote(SECRET, safe='')}"
            f"@127.0.0.1:{self.server_address[1]}?sign={quote('茶叶店')}"
        )

    def shutdown(self) -> None:
        self.released.set()
        super().shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: AliyunServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        refusal = self._refusal(body)
        if refusal:
            self._answer(400, refusal)
            return
        self.server.asked.append(dict(parse_qsl(urlsplit(self.path).query)))
        status, code = self.server.answers.pop(0)
        if (status, code) == SILENCE:
            self.server.released.wait()
            return
        self._answer(status, code)

    def _refusal(self, body: bytes) -> str:
        given = re.fullmatch(
            r"ACS3-HMAC-SHA256 Credential=(.+),SignedHeaders=(.+),Signature=([0-9a-f]{64})",
            self.headers["Authorization"],
        )
        if given is None or given[1] != KEY_ID:
            return "InvalidAccessKeyId.NotFound"
        names = given[2].split(";")
        must_be_signed = {"host", *(n.lower() for n in self.headers if n.lower()[:6] == "x-acs-")}
        if names != sorted(names) or not must_be_signed <= set(names):
            return "IncompleteSignature"
        if hashlib.sha256(body).hexdigest() != self.headers["x-acs-content-sha256"]:
            return "IncompleteSignature"
        if self.headers["x-acs-signature-nonce"] in self.server.nonces:
            return "SignatureNonceUsed"
        self.server.nonces.add(self.headers["x-acs-signature-nonce"])
        path, _mark, query = self.path.partition("?")
        canonical_query = "&".join(
            f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
            for name, value in sorted(parse_qsl(query, keep_blank_values=True))
        )
        lines = [f"{name}:{self.headers[name].strip()}" for name in names]
        request = [self.command, path, canonical_query, *lines, "", given[2]]
        request.append(self.headers["x-acs-content-sha256"])
        hashed = hashlib.sha256("\n".join(request).encode()).hexdigest()
        signature = hmac.new(SECRET.encode(), f"ACS3-HMAC-SHA256\n{hashed}".encode(), "sha256")
        return "" if signature.hexdigest() == given[3] else "SignatureDoesNotMatch"

    def _answer(self, status: int, code: str) -> None:
        answer = {"Code": code, "Message": f"about {code}", "RequestId": "R-1"}
        if code == "OK":
            answer["BizId"] = "900619746936498440^0"
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode() if code else b"<html>proxy</html>")

    def log_message(self, *args: object) -> None:
        pass
