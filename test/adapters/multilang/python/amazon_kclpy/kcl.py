"""The loop of a child process, its checkpointer, and the base class of processors of version 1."""
import json
import sys
import traceback

from amazon_kclpy import messages


class CheckpointError(Exception):
    """A checkpoint was refused; `value` is the name that the host gave."""

    def __init__(self, value):
        super().__init__(value)
        self.value = value


class Talk:
    """One line of JSON for each message, and an empty line before each that is written."""

    def __init__(self, source, sink):
        self._source = source
        self._sink = sink

    def read(self):
        line = self._source.readline()
        return json.loads(line) if line else None

    def write(self, message):
        self._sink.write('\n{}\n'.format(json.dumps(message)))
        self._sink.flush()


class Checkpointer:
    def __init__(self, talk):
        self._talk = talk

    def checkpoint(self, sequence_number=None, sub_sequence_number=None):
        self._talk.write({'action': 'checkpoint', 'sequenceNumber': sequence_number, 'subSequenceNumber': sub_sequence_number})
        reply = self._talk.read()
        if reply['action'] != 'checkpoint':
            raise CheckpointError('InvalidStateException')
        reply['sequenceNumber'], reply['subSequenceNumber']
        if reply['error'] is not None:
            raise CheckpointError(reply['error'])


class NoCheckpointer:
    def checkpoint(self, sequence_number=None, sub_sequence_number=None):
        raise CheckpointError('ShutdownException')


class RecordProcessorBase:
    """Version 1: plain arguments."""

    version = 1

    def initialize(self, shard_id):
        raise NotImplementedError

    def process_records(self, records, checkpointer):
        raise NotImplementedError

    def shutdown(self, checkpointer, reason):
        raise NotImplementedError

    def shutdown_requested(self, checkpointer):
        pass


class V1ToV2:
    version = 2

    def __init__(self, delegate):
        self._delegate = delegate

    def initialize(self, given):
        self._delegate.initialize(given.shard_id)

    def process_records(self, given):
        self._delegate.process_records(given.records, given.checkpointer)

    def shutdown(self, given):
        self._delegate.shutdown(given.checkpointer, given.reason)

    def shutdown_requested(self, given):
        self._delegate.shutdown_requested(given.checkpointer)


class V2ToV3:
    version = 3

    def __init__(self, delegate):
        self._delegate = delegate

    def initialize(self, given):
        self._delegate.initialize(given)

    def process_records(self, given):
        self._delegate.process_records(given)

    def lease_lost(self, given):
        self._delegate.shutdown(messages.ShutdownInput('ZOMBIE', NoCheckpointer()))

    def shard_ended(self, given):
        self._delegate.shutdown(messages.ShutdownInput('TERMINATE', given.checkpointer))

    def shutdown_requested(self, given):
        self._delegate.shutdown_requested(given)


class KCLProcess:
    def __init__(self, processor, source=sys.stdin, sink=sys.stdout):
        self._talk = Talk(source, sink)
        self._checkpointer = Checkpointer(self._talk)
        second = V1ToV2(processor) if processor.version == 1 else processor
        self._processor = V2ToV3(second) if second.version == 2 else second

    def run(self):
        while True:
            message = self._talk.read()
            if message is None:
                return
            self._serve(message)

    def _serve(self, message):
        action = message['action']
        call = {
            'initialize': lambda: (self._processor.initialize, messages.InitializeInput(message)),
            'processRecords': lambda: (self._processor.process_records, messages.ProcessRecordsInput(message, self._checkpointer)),
            'leaseLost': lambda: (self._processor.lease_lost, messages.LeaseLostInput()),
            'shardEnded': lambda: (self._processor.shard_ended, messages.ShardEndedInput(self._checkpointer)),
            'shutdownRequested': lambda: (self._processor.shutdown_requested, messages.ShutdownRequestedInput(self._checkpointer)),
        }[action]
        callback, given = call()
        try:
            callback(given)
        except Exception:
            traceback.print_exc(file=sys.stderr)
        self._talk.write({'action': 'status', 'responseFor': action})
