"""What stands before the server of a user of JupyterHub: a real reverse proxy, in a process of its own.

`python -m tests.support.hub_proxy ADDRESS PORT PREFIX TARGET CERTIFICATE KEY`
Https ends here. What begins with the prefix is handed on to the target unchanged, as JupyterHub's proxy does, with
websockets and the headers that tell where it came from; everything else is the hub's own and not found. Prints
`ready` when it listens, ends with its standard input.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys

from aiohttp import ClientSession, TCPConnector, WSMessage, WSMsgType, web
from aiohttp.client_ws import ClientWebSocketResponse

# What is between two neighbours only, and must not be handed on.
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "content-length"}
_OF_THE_HANDSHAKE = {"sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions", "sec-websocket-protocol"}


class HubProxy:
    """Hands requests on to `target` (http://host:port). Threads: its event loop's."""

    def __init__(self, prefix: str, target: str) -> None:
        self._prefix, self._target = prefix, target
        self._session: ClientSession | None = None

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if not request.path.startswith(self._prefix):
            return web.Response(status=404, text="this is the hub, not the user's server")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._websocket(request)
        return await self._http(request)

    @property
    def session(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(auto_decompress=False, connector=TCPConnector(limit=0))
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _http(self, request: web.Request) -> web.StreamResponse:
        url = self._target + request.raw_path
        body = await request.read() if request.body_exists else None
        asking = self.session.request(
            request.method, url, headers=_handed_on(request), data=body, allow_redirects=False
        )
        async with asking as answer:
            response = web.StreamResponse(status=answer.status, reason=answer.reason)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    response.headers.add(name, value)
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        asked = [each.strip() for each in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if each.strip()]
        headers = {k: v for k, v in _handed_on(request).items() if k.lower() not in _OF_THE_HANDSHAKE}
        url = self._target + request.raw_path
        connecting = self.session.ws_connect(url, headers=headers, protocols=asked, max_msg_size=0, compress=0)
        async with connecting as far:
            near = web.WebSocketResponse(
                protocols=[far.protocol] if far.protocol else (), max_msg_size=0, compress=False
            )
            await near.prepare(request)
            ways = [asyncio.create_task(_pour(near, far)), asyncio.create_task(_pour(far, near))]
            # Whichever side ends, the other ends with it.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            await near.close()
            return near


Socket = web.WebSocketResponse | ClientWebSocketResponse


async def _pour(source: Socket, sink: Socket) -> None:
    """Waits for the sink before it takes more: the proxy holds no queue."""
    message: WSMessage
    async for message in source:
        if message.type is WSMsgType.BINARY:
            await sink.send_bytes(message.data)
        elif message.type is WSMsgType.TEXT:
            await sink.send_str(message.data)


def _handed_on(request: web.Request) -> dict[str, str]:
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
    return {
        **headers,
        "X-Forwarded-For": request.remote or "",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": request.host,
    }


async def main(address: str, port: int, prefix: str, target: str, certificate: str, key: str) -> None:
    proxy = HubProxy(prefix, target)
    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{path:.*}", proxy.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    await web.TCPSite(runner, address, port, ssl_context=tls).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()
    await proxy.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
