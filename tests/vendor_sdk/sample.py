"""Asks a running emulator as the sample for Python on the vendor's page does, and holds the answers against the dump.

    python -m pip install -r tests/vendor_sdk/requirements.txt
    fgarchive emulate --dump-world truth.ndjson    # prints the exports used here
    python tests/vendor_sdk/sample.py truth.ndjson

Like the sample it knows nothing but CLOUD_SDK_AK and CLOUD_SDK_SK: the SDK itself finds the region's
address in HUAWEICLOUD_SDK_REGION_FUNCTIONGRAPH_CN_NORTH_4, and the project by asking the IAM of
HUAWEICLOUD_SDK_IAM_ENDPOINT. The times are given in every form that the SDK passes on.
"""

import argparse
import collections
import datetime
import json
import os
import sys

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkfunctiongraph.v2 import FunctionGraphClient, ListAsyncInvocationsRequest
from huaweicloudsdkfunctiongraph.v2.region.functiongraph_region import FunctionGraphRegion

UTC = datetime.timezone.utc
ELSEWHERE = datetime.timezone(datetime.timedelta(hours=8))
WIRE = "%Y-%m-%dT%H:%M:%S"
# Records this young may still change, or be listed for the first time.
SETTLED = datetime.timedelta(hours=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("truth", help="the emulator's dump: a JSON object a line")
    truth = read_truth(parser.parse_args().truth)
    client = connect()
    urn, records = min(truth.items(), key=lambda entry: len(entry[1]))
    for form, begin, end in windows(records):
        check_records(f"times {form}", list_all(client, urn, begin, end), records)
    check_filters(client, urn, records)
    check_defaults(client, urn)
    check_refusals(client)
    print(f"the sample's questions about {len(records)} records were answered")


def connect():
    credentials = BasicCredentials(os.environ["CLOUD_SDK_AK"], os.environ["CLOUD_SDK_SK"])
    region = FunctionGraphRegion.value_of("cn-north-4")
    return FunctionGraphClient.new_builder().with_credentials(credentials).with_region(region).build()


def read_truth(path):
    """The settled records of the dump, as function -> records."""
    settled = datetime.datetime.now(UTC) - SETTLED
    truth = collections.defaultdict(list)
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if moment(record) < settled:
                truth[record["urn"]].append(record)
    return truth


def moment(record):
    return datetime.datetime.strptime(record["start_time"], WIRE + "Z").replace(tzinfo=UTC)


def check_records(form, found, records):
    """Each is there once; what has not changed since the dump has an integer for its code."""
    expect(f"{form}: records", set(found), {record["request_id"] for record in records})
    for true in records:
        record = found[true["request_id"]]
        if record.status == true["status"]:
            expect(f"{form}: a code", (type(record.error_code), record.error_code), (int, true["error_code"] or 0))


def windows(records):
    """The window of all records in every form, the last ones half a second wider at either end."""
    first, last = min(map(moment, records)), max(map(moment, records))
    half = datetime.timedelta(microseconds=500_000)
    texts = {"as documented": WIRE, "with Z": WIRE + "Z", "with an offset": WIRE + "+00:00"}
    for form, pattern in texts.items():
        yield form, first.strftime(pattern), last.strftime(pattern)
    yield "naive", first.replace(tzinfo=None), last.replace(tzinfo=None)
    yield "aware", first, last
    yield "aware, with a fraction", first - half, last + half
    yield "aware, of another zone", (first - half).astimezone(ELSEWHERE), (last + half).astimezone(ELSEWHERE)


def stamp(value):
    """A time of the SDK, which has it as text or as a datetime, as text."""
    return value.strftime(WIRE) if isinstance(value, datetime.datetime) else value


def ask(client, **fields):
    request = ListAsyncInvocationsRequest()
    for name, value in fields.items():
        setattr(request, name, value)
    return client.list_async_invocations(request)


def list_all(client, urn, begin, end):
    found, seen = {}, 0
    while True:
        page = ask(
            client, function_urn=urn, marker=str(seen), limit="500", query_begin_time=begin, query_end_time=end
        )
        seen += len(page.invocations)
        found.update({record.request_id: record for record in page.invocations})
        if seen >= page.count:
            return found


def check_filters(client, urn, records):
    """One record by its identifier and status, all other fields set too."""
    failed = next(record for record in records if record["status"] == "FAIL")
    at = moment(failed).strftime(WIRE)
    window = {"query_begin_time": at, "query_end_time": at}
    fields = {"function_urn": urn, "request_id": failed["request_id"], "marker": "0", "limit": "1"} | window
    [record] = ask(client, status="FAIL", **fields).invocations
    expect("its code", (record.error_code, type(record.error_code)), (failed["error_code"], int))
    expect("its message", record.error_message, failed["error_message"])
    expect("another status", ask(client, status="SUCCESS", **fields).invocations, [])


def check_defaults(client, urn):
    """Without bounds the last hour, without a limit a hundred."""
    page = ask(client, function_urn=urn)
    expect("a page by default", len(page.invocations), min(page.count, 100))
    # Half a minute for the way there and back.
    hour = (datetime.datetime.now(UTC) - datetime.timedelta(hours=1, seconds=30)).strftime(WIRE)
    expect("the default window", [record for record in page.invocations if stamp(record.start_time) < hour], [])


def check_refusals(client):
    """The sample as it is printed names no function, and a window of words: both are told so."""
    for fields, status in [({}, 404), ({"function_urn": "order-export", "query_begin_time": "<query_begin_time>"}, 400)]:
        try:
            ask(client, **fields)
        except exceptions.ClientRequestException as refused:
            expect("a refusal", (refused.status_code, len(refused.request_id)), (status, 32))
            expect("its code", refused.error_code[:4], "FSS.")
        else:
            sys.exit(f"{fields} was answered")


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: {found!r:.500} is not {wanted!r:.500}")


if __name__ == "__main__":
    main()
