#!/usr/bin/env python3
"""Runs the examples of an API document against a running Staffetta.

    python3 tests/contract/run_examples.py DOCUMENT [--credentials .local/credentials.json]

Only the host, the credentials and the placeholders of an example are replaced; what they name is made first (see
documents.py). Each example must come back with the dialect's success; an example of SendApp's that names something that
does not exist (contact 42, campaign 148) may be told so. Examples of groups that are not served yet are listed, not run.
Needs curl; PHP and Node.js where installed. The examples of DM Champ's sub-accounts need STAFFETTA_ADMIN_KEY, as the
process was started with it.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import documents

NOT_SERVED = re.compile(r"/api/(upload_training|training_status|conversation/ask|whatsapp-web|sms)\b")


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
    api = documents.Api(json.loads(pathlib.Path(arguments.credentials).read_text()))
    document = documents.read(arguments.document.read_text())
    bad = ran = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        replaced = {document.HOST: api.url, **document.prepared(api, folder)}
        for language, code in document.examples():
            route = re.search(r"https://[^/'\s]+(/[^'?\s]*)", code)
            label = f"{language:4} {route.group(1) if route else '?'}"
            if NOT_SERVED.search(code):
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
            fine = done.returncode == 0 and document.is_fine(language, code, output)
            ran += 1
            bad += not fine
            print(f"{'ok' if fine else 'BAD':4} {label}: {output[:110] or done.stderr.strip()[:200]}")
    print(f"{ran} examples ran, {bad} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
