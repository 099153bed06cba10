"""A proxy that delays every byte: `delay.py LISTEN-PORT TO-PORT MILLISECONDS` (one way; the round trip is twice that). The line itself
is as fast as the machine."""

import asyncio
import sys


async def carry(reader, writer, seconds):
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
        await under_way.put((loop.time() + seconds, data))
    await under_way.put(None)
    await delivering


async def main():
    listen, to, milliseconds = (int(word) for word in sys.argv[1:])

    async def serve(reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", to, limit=1 << 20)
        await asyncio.gather(carry(reader, back, milliseconds / 1000), carry(there, writer, milliseconds / 1000), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", listen, limit=1 << 20)
    async with server:
        await server.serve_forever()


asyncio.run(main())
