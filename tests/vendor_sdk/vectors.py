"""Holds the signing vectors that the tests share against the signer of the vendor's own SDK.

    python -m pip install -r tests/vendor_sdk/requirements.txt
    python tests/vendor_sdk/vectors.py tests/fixtures/sdk_signing_vectors.json

With `--write` it writes what the signer says into the file: a vector whose "expected" is missing is
completed. The vectors with a query are those whose pairs the signer is given decoded; it says itself how
they are sent.
"""

import argparse
import hashlib
import json
import sys

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer


class Listening(Signer):
    """The vendor's signer, which also tells the text that it signs."""

    def _process_string_to_sign(self, canonical_request, time):
        self.canonical_request = canonical_request
        self.string_to_sign = super()._process_string_to_sign(canonical_request, time)
        return self.string_to_sign


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--write", action="store_true", help="write what the signer says")
    options = parser.parse_args()
    with open(options.file, encoding="utf-8") as text:
        content = json.load(text)
    for vector in content["vectors"]:
        said = sign(vector)
        if options.write:
            vector["expected"] = said
        elif vector.get("expected") != said:
            sys.exit(f"{vector['name']}: {vector.get('expected')} is not {said}")
    if options.write:
        with open(options.file, "w", encoding="utf-8") as text:
            text.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    print(f"the vendor's signer says the same of {len(content['vectors'])} vectors")


def sign(vector):
    asked = vector["request"]
    request = SdkRequest(
        method=asked["method"],
        schema=asked["scheme"],
        host=asked["host"],
        resource_path=asked["path_as_sent"],
        query_params=[tuple(pair) for pair in asked["query_pairs_decoded"]],
        header_params=dict(asked["headers_before_signing"]),
        body=asked["body_utf8"] or "",
    )
    signer = Listening(BasicCredentials(vector["access_key"], vector["secret_key"]))
    signed = signer.sign(request)
    authorization = signed.header_params["Authorization"]
    return {
        "canonical_request": signer.canonical_request,
        "hashed_payload_hex": signer.canonical_request.rsplit("\n", 1)[1],
        "canonical_request_sha256": hashlib.sha256(signer.canonical_request.encode()).hexdigest(),
        "string_to_sign": signer.string_to_sign,
        "signed_headers": authorization.split("SignedHeaders=")[1].split(",")[0],
        "signature": authorization.split("Signature=")[1],
        "authorization": authorization,
        "request_target_as_sent": signed.uri,
        "url_as_sent": f"{asked['scheme']}://{asked['host']}{signed.uri}",
    }


if __name__ == "__main__":
    main()
