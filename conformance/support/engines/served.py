"""JSON over HTTP on a port of its own, until standard input ends. One request at a time, as one writer would."""

import http.server
import json
import sys
import threading
import urllib.parse


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status, self.text = status, text


def serve(answer, told, refusal, admit=lambda *_: None):
    """`admit` sees each request as it came, before it is read, and refuses strangers."""
    turn = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body in one packet.
        wbufsize = -1

        def log_message(self, *_):
            pass

        def handle_one(self):
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            try:
                admit(self.command, self.path, self.headers, body)
                kind = self.headers.get("content-type", "")
                if kind == "application/x-ndjson":
                    body = [json.loads(line) for line in body.splitlines()]
                elif body:
                    body = json.loads(body)
                with turn:
                    found = answer(
                        self.command, urllib.parse.unquote(path), urllib.parse.parse_qs(query), self.headers, body
                    )
                status, sent = 200, told(found)
            except Refused as refused:
                status, sent = refused.status, refusal(refused.text)
            sent = json.dumps(sent).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_one

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    sys.stdin.read()
