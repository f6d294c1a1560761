"""Stand-ins that a test has wait: what is asked of them meanwhile is under way for as long as the test wants."""

import contextlib
import http.client
import http.server
import json
import threading
import urllib.parse
import zlib

from support.site import Site

SECONDS = 60


class Held:
    """What waits: `arrived` when the first has come."""

    def __init__(self, part):
        self.part, self.arrived, self.released = part, threading.Event(), threading.Event()

    def wait(self):
        assert self.arrived.wait(SECONDS), f"nothing came with {self.part!r}"

    def release(self):
        self.released.set()


class Gate:
    def __init__(self):
        self.all = []

    @contextlib.contextmanager
    def held(self, part):
        """What has `part` in it waits until the end of the block, or until it is released."""
        one = Held(part)
        self.all.append(one)
        try:
            yield one
        finally:
            one.release()
            self.all.remove(one)

    def pass_by(self, told):
        for one in list(self.all):
            if one.part in told:
                one.arrived.set()
                one.released.wait(SECONDS)


class Embedder(Gate):
    """An embedding model behind OpenAI's interface: texts are near each other that share words."""

    def __init__(self, model):
        super().__init__()
        self.model, self.site = model, Site({"/v1/embeddings": self.answer})

    @property
    def config(self):
        return f"""
[[providers]]
name = "stand-in"
kind = "openai"
url = "{self.site.url}/v1"
api_key = "any"
[providers.models]
"{self.model}" = "words"
"""

    def answer(self, request):
        asked = json.loads(request.body)
        texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
        self.pass_by(" ".join(texts))
        rows = [
            {"object": "embedding", "index": at, "embedding": vector(text, asked.get("dimensions") or 1024)}
            for at, text in enumerate(texts)
        ]
        usage = {"prompt_tokens": len(rows), "total_tokens": len(rows)}
        answer = {"object": "list", "model": asked["model"], "data": rows, "usage": usage}
        request.answer(200, json.dumps(answer), "application/json")

    def __enter__(self):
        self.site.__enter__()
        return self

    def __exit__(self, *error):
        for one in self.all:
            one.release()
        self.site.__exit__(*error)


def vector(text, length):
    made = [0.001] * length
    for word in text.lower().split():
        made[zlib.crc32(word.encode()) % length] += 1.0
    return made


class Relay(Gate):
    """Passes requests on to a server."""

    def __init__(self, url):
        super().__init__()
        host = urllib.parse.urlparse(url).netloc
        relay = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body in one packet.
            wbufsize = -1

            def log_message(self, *_):
                pass

            def handle_one(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                relay.pass_by(f"{self.command} {self.path}")
                way = http.client.HTTPConnection(host, timeout=SECONDS)
                way.request(self.command, self.path, body, dict(self.headers))
                answer = way.getresponse()
                sent = answer.read()
                way.close()
                self.send_response(answer.status)
                self.send_header("content-type", answer.headers.get("content-type", "application/json"))
                self.send_header("content-length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            do_GET = do_PUT = do_POST = do_DELETE = handle_one

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        for one in self.all:
            one.release()
        self.server.shutdown()
        self.server.server_close()
