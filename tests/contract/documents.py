"""The examples of the API documents, as commands that can be run, and what must be there for them.

A document is told by the host that its examples call. What an example names (a subscriber, a flow, a list) is made
first, over the API; then its placeholders are replaced, and nothing else.
"""

import http.server
import json
import os
import re
import secrets
import threading
import urllib.error
import urllib.parse
import urllib.request


class Api:
    """Calls of the product that an example needs to have been made."""

    def __init__(self, credentials):
        self.credentials = credentials
        self.url = credentials["url"]
        self.simulator = credentials["simulator_url"]

    def call(self, method, path, body=None, key=None, headers=None, url=None):
        headers = {"X-API-Key": key or self.credentials["apikey"], **(headers or {})}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = urllib.request.Request((url or self.url) + path, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def writes(self, number, text):
        """Somebody writes, so that they may be answered."""
        self.call("POST", "/_sim/inbound", {"from": number, "text": text}, url=self.simulator)


class SendApp:
    """curl, PHP and JavaScript below `/api`."""

    HOST = "https://app.sendapp.ai"
    FINE = ('"status":"success"', '"status":"ok"', "[status] => success", "there is no", "There is already", '"templates"')

    def __init__(self, text):
        self.text = text

    def examples(self):
        """(language, code) of every example, in the order of the document."""
        text = self.text
        starts = [m.start() for m in re.finditer(r"<\?php", text)]
        previous = 0
        for i, start in enumerate(starts):
            end = starts[i + 1] if i + 1 < len(starts) else len(text)
            for block in re.findall(r"curl (?:-X|').*?(?=\n# |\ncurl |\Z)", text[previous:start], re.S):
                yield "curl", block.strip()
            js = re.search(r"(?:^|[;)}])(?:// [^\n]*\n)?(const )", text[start:end])
            if not js:
                yield "php", text[start:end]
                continue
            begin = start + js.start(1)
            yield "php", text[start:begin]
            last = [m for m in re.finditer(r"console\.log\(.*?\);", text[begin:end])][-1]
            yield "js", text[begin : begin + last.end()]
            previous = begin + last.end()

    def prepared(self, api, folder):
        (folder / "image.jpg").write_bytes(bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9"))
        return {
            "YOUR_API_KEY": api.credentials["apikey"],
            "YOUR_ACCOUNT_TOKEN": api.credentials["token"],
            "/path/to/image.jpg": f"{folder}/image.jpg",
        }

    def is_fine(self, language, code, output):
        if language == "php" and not output and "echo" not in code and "print" not in code:
            return True
        if language == "js" and "data.templates" in code:
            return output.startswith("[")
        return output.startswith("[") or any(mark in output for mark in self.FINE)


class Sendwo:
    """curl and addresses below `/api/v1`."""

    HOST = "https://login.sendwo.com"
    NUMBER = "919876543210"

    def __init__(self, text):
        self.text = text

    def examples(self):
        lines = iter(self.text.splitlines())
        for line in lines:
            if line.startswith("curl "):
                parts = [line]
                while parts[-1].rstrip().endswith("\\"):
                    parts.append(next(lines))
                yield "curl", "\n".join(parts)
            elif line.startswith(self.HOST) and "?" in line:
                yield "curl", f"curl '{line.strip()}'"

    def prepared(self, api, folder):
        del folder
        key, number_id = api.credentials["apikey"], api.credentials["phone_number_id"]
        api.writes(self.NUMBER, "Hello")

        def call(path, **values):
            query = urllib.parse.urlencode({"apiToken": key, **values})
            return api.call("GET", f"/api/v1/{path}?{query}")

        subscriber = call("subscriber/create", phoneNumber=self.NUMBER, firstName="Amit")
        for n in range(1, 23):
            call("label/create", labelName=f"Label {n}")
        sent = call("whatsapp/send-text-message", phoneNumberId=number_id, to=self.NUMBER, message="Hi")
        steps = {"hello": {"do": "message", "text": "Hello {{name|there}}"}}
        flow = api.call("POST", "/api/flows", {"flow": {"name": "Welcome", "start": "hello", "steps": steps}})
        catalogs = call("catalog/list")["message"]
        return {
            "PHONE-NUMBER-ID": number_id,
            "SUBSCRIBER-ID": str(subscriber["data"]["subscriber_id"]),
            "MESSAGE-ID": sent["wa_message_id"],
            "FLOW-ID": flow["flow"]["id"],
            "CATALOG-ID": str(catalogs[0]["catalog_id"]),
            "API-KEY": key,
        }

    def is_fine(self, language, code, output):
        del language, code
        return '"status":"1"' in output


class DmChamp:
    """Requests below `/v1`, written as method, headers and body."""

    HOST = "https://api.example.com"
    CHANNEL = "my-channel"

    def __init__(self, text):
        self.text = text

    def examples(self):
        request = re.compile(r"^(GET|POST|PUT|DELETE) (https://\S+)\n((?:[A-Za-z-]+: .*\n)*)", re.M)
        for match in request.finditer(self.text):
            method, url, headers = match.groups()
            parts = [f"curl -X {method} '{url}'"]
            parts += [f"-H '{header}'" for header in headers.splitlines()]
            rest = self.text[match.end() :]
            if rest.startswith("{"):
                _, end = json.JSONDecoder().raw_decode(rest)
                parts.append("-d '" + rest[:end].replace("'", "'\\''") + "'")
            yield "curl", " \\\n".join(parts)
        for address in re.findall(r"/contacts\?\w+=X", self.text):
            value = "%2B15551234567" if "phone" in address.lower() else "jane%40example.com"
            yield "curl", f"curl '{self.HOST}/v1{address[:-1]}{value}&apiKey=YOUR_API_KEY'"

    def prepared(self, api, folder):
        del folder
        admin = {"X-Admin-Key": os.environ["STAFFETTA_ADMIN_KEY"]}
        owner = {"name": "Agency", "email": "agency@example.com"}
        made = api.call("POST", "/api/tenants", owner, headers=admin)
        api.call("POST", f"/api/tenants/{made['tenant']['id']}/agency", headers=admin)
        key = made["apikey"]
        channel = Channel()
        api.call("POST", "/api/channels", {"name": self.CHANNEL, "url": channel.url}, key)
        token = api.call("POST", "/api/create_accounts", {"name": "Desk"}, key)["account"]["token"]
        draft = {"token": token, "name": "Shipped", "channel": self.CHANNEL, "message_type": "text", "message": "Hello"}
        campaign = api.call("POST", "/api/campaigns/draft", draft, key)
        person = {"firstName": "Jane", "phone": "+15551234567", "email": "jane@example.com"}
        contact = api.call("POST", "/v1/contacts", person, key)
        letters = api.call("POST", "/v1/lists", {"name": "Newsletter"}, key)
        branch = {"name": "Branch", "email": f"branch-{secrets.token_hex(4)}@example.com", "credits": 42}
        api.call("POST", "/api/subaccounts", branch, key)
        return {
            "YOUR_API_KEY": key,
            "LIST_ID": str(letters["id"]),
            "abc123xyz": str(contact["id"]),
            "optional-campaign-id": str(campaign["campaign_id"]),
            '"email": "[email protected]",\n"amount"': f'"email": "{branch["email"]}",\n"amount"',
            "[email\u00a0protected]": person["email"],
            "[email protected]": person["email"],
        }

    def is_fine(self, language, code, output):
        del language, code
        return output.startswith("{") and '"error"' not in output


class Channel:
    """A server that takes every message."""

    def __init__(self):
        class Takes(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Takes)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"


def read(text):
    """The document that a text is."""
    for kind in (SendApp, Sendwo, DmChamp):
        if kind.HOST in text:
            return kind(text)
    raise SystemExit("no document of a dialect that is known")
