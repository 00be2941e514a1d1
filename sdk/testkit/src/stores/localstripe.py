"""Runs localstripe, a separate program, for one BigTix on one machine: on the loopback address only, with its data in a given folder.

Usage: python localstripe.py PORT FOLDER
"""

import asyncio
import os
import pickle
import sys
import time

from aiohttp import web
from localstripe import resources, server

# Writing everything down after every change would take longer with every payment, so writing may take this share of the time.
SHARE = 0.05
SHORTEST_PAUSE = 0.02


class Disk:
    """Writes the whole store down soon after a change, and at the end."""

    def __init__(self, path):
        self.path = path
        self.pause = SHORTEST_PAUSE
        self.planned = None

    def load(self):
        if os.path.exists(self.path):
            with open(self.path, "rb") as file:
                resources.store.update(pickle.load(file))

    def changed(self):
        if self.planned is None:
            self.planned = asyncio.get_running_loop().call_later(self.pause, self.write)

    def write(self):
        self.planned = None
        began = time.monotonic()
        temporary = self.path + ".new"
        with open(temporary, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            pickle.dump(resources.store, file, protocol=pickle.HIGHEST_PROTOCOL)
        os.replace(temporary, self.path)
        self.pause = max(SHORTEST_PAUSE, (time.monotonic() - began) / SHARE)


def main(port, folder):
    disk = Disk(os.path.join(folder, "store.pickle"))

    # Loading puts things in before there is a loop, and must not write.
    resources.Store.dump_to_disk = lambda store: None
    disk.load()
    resources.Store.dump_to_disk = lambda store: disk.changed()

    async def stopped(app):
        disk.write()

    server.app.on_cleanup.append(stopped)
    web.run_app(server.app, host="127.0.0.1", port=port, access_log=None, print=None)


main(int(sys.argv[1]), sys.argv[2])
