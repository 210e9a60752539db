"""The actions of the host, with every key required, as objects that processors receive."""
import base64
from datetime import datetime


class Record:
    def __init__(self, fields):
        if fields['action'] != 'record':
            raise ValueError('not a record: {}'.format(fields['action']))
        self._fields = fields
        self.data = fields['data']
        self.partition_key = fields['partitionKey']
        self.sequence_number = fields['sequenceNumber']
        self.sub_sequence_number = fields['subSequenceNumber']
        self.approximate_arrival_timestamp = datetime.fromtimestamp(fields['approximateArrivalTimestamp'] / 1000.0)

    @property
    def binary_data(self):
        return base64.b64decode(self.data)

    def get(self, name):
        return self._fields[name]


class InitializeInput:
    def __init__(self, fields):
        self.shard_id = fields['shardId']
        self.sequence_number = fields['sequenceNumber']
        self.sub_sequence_number = fields['subSequenceNumber']


class ProcessRecordsInput:
    def __init__(self, fields, checkpointer):
        self.records = [Record(record) for record in fields['records']]
        self.millis_behind_latest = fields['millisBehindLatest']
        self.checkpointer = checkpointer


class LeaseLostInput:
    pass


class ShardEndedInput:
    def __init__(self, checkpointer):
        self.checkpointer = checkpointer


class ShutdownRequestedInput:
    def __init__(self, checkpointer):
        self.checkpointer = checkpointer


class ShutdownInput:
    def __init__(self, reason, checkpointer):
        self.reason = reason
        self.checkpointer = checkpointer
