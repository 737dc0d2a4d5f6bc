#!/usr/bin/env python3
"""Prints the installation's admin key, which creates tenants (`X-Admin-Key`).

    python3 infra/admin_key.py                                # of the stack `staffetta`; needs boto3
    python3 infra/admin_key.py --stack staffetta-dev --profile ops --region eu-central-1
    aws secretsmanager get-secret-value --secret-id staffetta/root --query SecretString --output text \\
        | python3 infra/admin_key.py -                        # the secret's value from standard input

It is derived from the root secret, so it is stored nowhere and whoever may read the secret has it.
"""

import argparse
import hashlib
import hmac
import json
import sys

PURPOSE = b"staffetta admin key v1"


def admin_key(secret: str) -> str:
    """The key that belongs to a root secret, `{"root": "..."}`."""
    root = json.loads(secret)["root"]
    return hmac.new(root.encode(), PURPOSE, hashlib.sha256).hexdigest()


def stored(given: argparse.Namespace) -> str:
    """The root secret of a stack."""
    import boto3  # not needed for what comes from standard input

    session = boto3.Session(profile_name=given.profile, region_name=given.region)
    secrets = session.client("secretsmanager", endpoint_url=given.endpoint_url)
    return str(secrets.get_secret_value(SecretId=f"{given.stack}/root")["SecretString"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("secret", nargs="?", choices=["-"], help="read the secret's value from standard input")
    parser.add_argument("--stack", default="staffetta")
    parser.add_argument("--profile")
    parser.add_argument("--region")
    parser.add_argument("--endpoint-url", help="of an emulator")
    given = parser.parse_args()
    try:
        print(admin_key(sys.stdin.read() if given.secret else stored(given)))
    except (ValueError, KeyError, TypeError, AttributeError):
        print('the secret is not of the form {"root": "..."}', file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
