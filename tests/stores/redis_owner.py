"""A process that opens the embedded Redis of a folder and keeps it until a line comes in. Argument: the folder."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from settings import Settings
from stores.redis.server import open_redis


async def main(folder: str) -> None:
    settings = Settings(data_dir=Path(folder), _env_file=None)
    async with await open_redis(settings) as handle:
        sys.stdout.write(f"{handle.kind} {(await handle.client.info('server'))['process_id']}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
