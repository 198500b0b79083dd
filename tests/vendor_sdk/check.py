"""Reads a running emulator with the vendor's own SDK and compares what it gets with the emulator's dump.

    python -m pip install -r tests/vendor_sdk/requirements.txt
    fgarchive emulate --dump-world truth.ndjson    # prints the exports used here
    python tests/vendor_sdk/check.py truth.ndjson

The endpoint comes from FGARCHIVE_ENDPOINT, the keys from HUAWEICLOUD_SDK_AK, _SK and _PROJECT_ID, all
of which `emulate` prints. Codes are numbers by default, as documented: this SDK cannot read the other
form, an empty string where its model has an integer.
"""

import argparse
import collections
import datetime
import json
import os
import sys

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkfunctiongraph.v2 import (
    FunctionGraphClient,
    ListAsyncInvocationsRequest,
    ListFunctionsRequest,
    ShowFunctionAsyncInvokeConfigRequest,
)

LIMIT = 500
WINDOWS = 5


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("truth", help="the emulator's dump: a JSON object a line")
    parser.add_argument("--endpoint", default=os.environ.get("FGARCHIVE_ENDPOINT"))
    options = parser.parse_args()
    truth = read_truth(options.truth)
    client = connect(options.endpoint, os.environ["HUAWEICLOUD_SDK_SK"])

    functions = list_functions(client)
    expect("functions with records", set(truth) - set(functions), set())
    total = 0
    for urn in functions:
        records = truth.get(urn, {})
        total += check_function(client, urn, records)
    check_refusals(options.endpoint, client, functions[0])
    print(f"the vendor's SDK and the emulator agree on {total} records of {len(functions)} functions")


def connect(endpoint, secret):
    credentials = BasicCredentials(
        os.environ["HUAWEICLOUD_SDK_AK"], secret, os.environ["HUAWEICLOUD_SDK_PROJECT_ID"]
    )
    builder = FunctionGraphClient.new_builder().with_credentials(credentials)
    return builder.with_endpoint(endpoint).build()


def read_truth(path):
    """The dump as function -> id -> record."""
    truth = collections.defaultdict(dict)
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            truth[record["urn"]][record["request_id"]] = record
    return truth


def list_functions(client):
    """Every function's URN, two a page, so that there is more than one page."""
    urns = []
    while True:
        page = client.list_functions(ListFunctionsRequest(marker=str(len(urns)), maxitems="2"))
        urns += [item.func_urn for item in page.functions]
        if not page.functions or page.next_marker >= page.count:
            return urns


def check_function(client, urn, records):
    """All windows of a function together hold each of its records once, as the dump has it."""
    config = client.show_function_async_invoke_config(ShowFunctionAsyncInvokeConfigRequest(function_urn=urn))
    expect(f"{urn}: status log", config.enable_async_status_log, True)
    seen = {}
    for begin, end in windows(records.values()):
        for record in list_window(client, urn, begin, end):
            expect(f"{urn}: seen before", record.request_id in seen, False)
            seen[record.request_id] = record
    expect(f"{urn}: ids", set(seen), set(records))
    for request_id, record in seen.items():
        check_record(record, records[request_id])
    return len(seen)


def windows(records):
    """Equal parts of the time the records span, no two of which share a second (both bounds belong to a window)."""
    starts = [parse(record["start_time"]) for record in records]
    if not starts:
        return []
    first, last = min(starts), max(starts)
    seconds = int((last - first).total_seconds())
    cuts = [first + datetime.timedelta(seconds=seconds * n // WINDOWS) for n in range(WINDOWS)]
    cuts.append(last + datetime.timedelta(seconds=1))
    second = datetime.timedelta(seconds=1)
    return [(begin, end - second) for begin, end in zip(cuts, cuts[1:]) if begin < end]


def list_window(client, urn, begin, end):
    records = []
    while True:
        page = client.list_async_invocations(
            ListAsyncInvocationsRequest(
                function_urn=urn,
                marker=str(len(records)),
                limit=str(LIMIT),
                query_begin_time=begin,
                query_end_time=end,
            )
        )
        records += page.invocations
        if len(records) >= page.count:
            expect(f"{urn}: records of {begin} to {end}", len(records), page.count)
            return records


def check_record(record, true):
    """An open record may have moved on since the dump; a finished one stands, a retry apart."""
    name = record.request_id
    expect(f"{name}: start", stamp(record.start_time), true["start_time"])
    if true["status"] in ("WAIT", "RUNNING") or record.status != true["status"]:
        return
    expect(f"{name}: end", stamp(record.end_time), true["end_time"])
    expect(f"{name}: code", record.error_code, true["error_code"] or 0)
    expect(f"{name}: message", record.error_message, true["error_message"] or "")


def check_refusals(endpoint, client, urn):
    """The SDK understands the emulator's errors."""
    unknown = ListAsyncInvocationsRequest(function_urn=urn + "-unknown")
    refused = refusal(lambda: client.list_async_invocations(unknown))
    expect("an unknown function", (refused.status_code, refused.error_code), (404, "FSS.0404"))
    stranger = connect(endpoint, "not-the-secret")
    refused = refusal(lambda: stranger.list_functions(ListFunctionsRequest()))
    expect("a wrong secret", (refused.status_code, refused.error_code), (401, "APIGW.0301"))
    expect("its request id", len(refused.request_id), 32)


def refusal(call):
    try:
        call()
    except ClientRequestException as refused:
        return refused
    return sys.exit("a request that should be refused was answered")


def parse(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")


def stamp(value):
    """A time of the SDK, which has one of its two as a datetime, in the dump's form."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime.datetime) else value + "Z"


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: {found!r:.500} is not {wanted!r:.500}")


if __name__ == "__main__":
    main()
