"""A carrier in a process of its own that answers each request after so many seconds.

    python orders/benchmarks/slow_carrier.py PORT SECONDS

It answers any request with one quote, and closes the connection.
"""

import asyncio
import json
import sys

BODY = json.dumps(
    {"quotes": [{"service": "standard", "price": "4.90", "currency": "EUR", "days": 2}]}
)
ANSWER = (
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    f"Content-Length: {len(BODY)}\r\nConnection: close\r\n\r\n{BODY}"
).encode()


async def main(port: str, seconds: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if b"content-length:" in line]
        await reader.readexactly(int(lengths[0].partition(b":")[2]))
        await asyncio.sleep(float(seconds))
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", int(port))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
