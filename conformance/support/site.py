"""A web site on this machine, as a test wants it: what it answers may change while it runs, and what it is asked is kept."""

import http.server
import threading


class Site:
    """`pages` maps paths to what they answer: text of a page, or a function of the request that answers it."""

    def __init__(self, pages=None):
        self.pages = dict(pages or {})
        self.asked = []
        self.agents = set()
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                length = int(self.headers.get("content-length") or 0)
                self.body = self.rfile.read(length) if length else b""
                site.asked.append(self.path)
                site.agents.add(self.headers.get("user-agent"))
                page = site.pages.get(self.path, site.pages.get(self.path.split("?")[0]))
                if page is None:
                    return self.answer(404, "not found")
                return page(self) if callable(page) else self.answer(200, page)

            do_POST = do_GET

            def answer(self, status, body=b"", kind="text/html; charset=utf-8", **headers):
                body = body.encode() if isinstance(body, str) else body
                self.send_response(status)
                if kind:
                    self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    @property
    def address(self):
        return "127.0.0.1:%d" % self.server.server_address[1]

    @property
    def url(self):
        return f"http://{self.address}"

    def count(self, path):
        return self.asked.count(path)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()


def page(title, text, *links):
    """A page with links to others."""
    anchors = "".join(f'<li><a href="{link}">{link}</a></li>' for link in links)
    return f"<!doctype html><title>{title}</title><main><h1>{title}</h1><p>{text}</p></main><ul>{anchors}</ul>"


def status(code, **headers):
    """A page that answers so."""
    return lambda request: request.answer(code, "", **headers)
