"""A server on loopback with the endpoints for ranking and for images that OpenAI-compatible servers have."""

import base64
import http.server
import json
import threading


class Media:
    """Ranks by the words that a document shares with the query; draws the prompt and the number of the image."""

    def __init__(self):
        self.asked = []
        media = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                media.asked.append((self.path, body))
                answers = {"/v1/rerank": rank, "/v1/images/generations": draw}
                status, answer = (200, answers[self.path](body)) if self.path in answers else (404, {})
                raw = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def rank(body):
    words = set(body["query"].lower().split())
    shares = [len(words & set(text.lower().split())) / len(words) for text in body["documents"]]
    order = sorted(range(len(shares)), key=lambda i: -shares[i])
    results = [{"index": i, "relevance_score": shares[i]} for i in order][: body.get("top_n")]
    return {"model": body["model"], "results": results, "usage": {"total_tokens": 11}}


def draw(body):
    made = [f"{body['prompt']} {n}".encode() for n in range(body["n"])]
    return {"created": 0, "data": [{"b64_json": base64.b64encode(image).decode()} for image in made]}
