"""Starts localstripe on a free loopback port, asks it something, and stops it: proof that it works here."""

import asyncio

import aiohttp
from aiohttp import web
from localstripe.server import app


async def main():
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/v1/customers") as answer:
            # Without a key the answer is a refusal, and a refusal is an answer.
            assert answer.status == 401, f"answered {answer.status}"
    await runner.cleanup()


asyncio.run(main())
