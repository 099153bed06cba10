"""A proxy that delays every byte: `delay.py LISTEN-PORT TO-PORT MILLISECONDS [TURNS-FILE]` (one way; the round trip is twice that). The
line itself is as fast as the machine. With a file, each turn of a client (it speaks after the server has spoken) adds a line to it: the
command without its arguments. A turn is a round trip. Only of use without TLS."""

import asyncio
import sys


async def carry(reader, writer, seconds, heard=lambda data: None):
    loop, under_way = asyncio.get_running_loop(), asyncio.Queue(maxsize=4096)

    async def deliver():
        while (piece := await under_way.get()) is not None:
            at, data = piece
            if (wait := at - loop.time()) > 0:
                await asyncio.sleep(wait)
            writer.write(data)
            await writer.drain()
        writer.close()

    delivering = asyncio.create_task(deliver())
    while data := await reader.read(262_144):
        heard(data)
        await under_way.put((loop.time() + seconds, data))
    await under_way.put(None)
    await delivering


class Turns:
    """Of one connection."""

    def __init__(self, path):
        self.path, self.is_servers = path, True

    def of_client(self, data):
        if self.is_servers:
            words = data.split(b"\r\n")[0].split(b" ")
            command = words[0] if len(words) == 1 else b" ".join(words[1:3] if words[1].upper() == b"UID" else words[1:2])
            self.note(command.decode("ascii", "replace"))
        self.is_servers = False

    def of_server(self, _):
        self.is_servers = True

    def note(self, line):
        with open(self.path, "a") as file:
            file.write(line + "\n")


async def main():
    listen, to, milliseconds = (int(word) for word in sys.argv[1:4])
    path = sys.argv[4] if len(sys.argv) > 4 else None

    async def serve(reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", to, limit=1 << 20)
        heard = ()
        if path:
            turns = Turns(path)
            # The handshake and the greeting that follows it.
            turns.note("connect")
            heard = (turns.of_client, turns.of_server)
        await asyncio.gather(carry(reader, back, milliseconds / 1000, *heard[:1]), carry(there, writer, milliseconds / 1000, *heard[1:]), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", listen, limit=1 << 20)
    async with server:
        await server.serve_forever()


asyncio.run(main())
