"""An SMTP server that takes everything at once and keeps nothing, in a process of its own: a benchmark's bottomless end.

`python -m benchmarks.sink` prints its port. It answers as slowly as `--delay` seconds after the final dot.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """One session."""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            command = line[:4].upper()
            if command == b"DATA":
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                await asyncio.sleep(delay)
            writer.write(b"221 bye\r\n" if command == b"QUIT" else b"250 2.0.0 ok\r\n")
            if command == b"QUIT":
                break
        await writer.drain()
    writer.close()


async def main() -> None:
    """Listen until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, default=0.0)
    delay = parser.parse_args().delay
    server = await asyncio.start_server(lambda reader, writer: serve(reader, writer, delay), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
