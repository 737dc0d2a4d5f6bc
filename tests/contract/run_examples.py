#!/usr/bin/env python3
"""Runs the curl, PHP and JavaScript examples of an API document against a running Staffetta.

    python3 tests/contract/run_examples.py DOCUMENT [--credentials .local/credentials.json]

Only the host and the credentials of an example are replaced. Each example must come back with JSON in the
dialect; an example that names something that does not exist (contact 42, campaign 148) may be told so.
Examples of groups that are not served yet are listed, not run. Needs curl; PHP and Node.js where installed.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SERVED = re.compile(
    r"/api/(contacts|campaigns|whatsapp-meta/(send|get_templates|create_template)|account|get_tokens|create_accounts"
    r"|integrations/webhook)\b"
)
HOST = "https://app.sendapp.ai"
# The smallest JPEG that still is one.
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")


def examples(text):
    """(language, code) of every example, in the order of the document."""
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


def run(language, code, folder):
    if language == "curl":
        command = ["bash", "-c", code.replace("curl ", "curl -sS ", 1)]
    elif language == "php":
        path = folder / "example.php"
        path.write_text(code)
        command = ["php", str(path)]
    else:
        path = folder / "example.mjs"
        shim = (
            "import fs from 'node:fs';\n"
            f"const fileInput = {{files: [new File([fs.readFileSync('{folder}/image.jpg')], 'image.jpg', {{type: 'image/jpeg'}})]}};\n"
            "console.log = (value) => process.stdout.write(JSON.stringify(value ?? null));\n"
        )
        path.write_text(shim + code)
        command = ["node", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("document", type=pathlib.Path)
    parser.add_argument("--credentials", type=pathlib.Path, default=".local/credentials.json")
    arguments = parser.parse_args()
    credentials = json.loads(pathlib.Path(arguments.credentials).read_text())
    bad = ran = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "image.jpg").write_bytes(JPEG)
        replaced = {
            HOST: credentials["url"],
            "YOUR_API_KEY": credentials["apikey"],
            "YOUR_ACCOUNT_TOKEN": credentials["token"],
            "/path/to/image.jpg": f"{folder}/image.jpg",
        }
        for language, code in examples(arguments.document.read_text()):
            route = re.search(r"https://[^'?]*?(/api/[^'?\s]*)", code)
            label = f"{language:4} {route.group(1) if route else '?'}"
            if not SERVED.search(code):
                print(f"-    {label}: not served yet")
                continue
            tool = {"curl": "curl", "php": "php", "js": "node"}[language]
            if not shutil.which(tool):
                print(f"-    {label}: {tool} is not installed")
                continue
            for old, new in replaced.items():
                code = code.replace(old, new)
            done = run(language, code, folder)
            output = done.stdout.strip()
            silent = language == "php" and not output and "echo" not in code and "print" not in code
            fine = done.returncode == 0 and (
                silent or '"status":"success"' in output or '"status":"ok"' in output or "[status] => success" in output
                or "there is no" in output or "There is already" in output or '"templates"' in output or output.startswith("[")
            )
            if language == "js" and "data.templates" in code:
                fine = output.startswith("[")
            ran += 1
            bad += not fine
            print(f"{'ok' if fine else 'BAD':4} {label}: {output[:110] or done.stderr.strip()[:200]}")
    print(f"{ran} examples ran, {bad} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
