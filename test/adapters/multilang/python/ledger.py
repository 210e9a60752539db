"""Notes what a processor is told: a line of JSON each, in the file that the command names."""
import json
import os
import sys


def note(**line):
    with open(sys.argv[1], 'a') as ledger:
        ledger.write(json.dumps(dict(line, pid=os.getpid())) + '\n')


def note_records(shard_id, records):
    for record in records:
        note(
            shardId=shard_id,
            sequenceNumber=record.sequence_number,
            subSequenceNumber=record.sub_sequence_number,
            partitionKey=record.partition_key,
            text=record.binary_data.decode('utf-8'),
        )
