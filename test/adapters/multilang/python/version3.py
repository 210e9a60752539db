import sys

import ledger
from amazon_kclpy import kcl
from amazon_kclpy.v3 import processor


class RecordProcessor(processor.RecordProcessorBase):
    def initialize(self, initialize_input):
        self.shard_id = initialize_input.shard_id
        ledger.note(shardId=self.shard_id, told='initialize', at=initialize_input.sequence_number)

    def process_records(self, process_records_input):
        ledger.note_records(self.shard_id, process_records_input.records)
        for record in process_records_input.records:
            if record.binary_data == b'raise':
                raise RuntimeError('told to')
            if record.binary_data == b'exit':
                sys.exit(7)
        try:
            process_records_input.checkpointer.checkpoint()
        except kcl.CheckpointError as error:
            ledger.note(shardId=self.shard_id, refused=error.value)

    def lease_lost(self, lease_lost_input):
        ledger.note(shardId=self.shard_id, told='leaseLost')

    def shard_ended(self, shard_ended_input):
        ledger.note(shardId=self.shard_id, told='shardEnded')
        shard_ended_input.checkpointer.checkpoint()

    def shutdown_requested(self, shutdown_requested_input):
        ledger.note(shardId=self.shard_id, told='shutdownRequested')
        shutdown_requested_input.checkpointer.checkpoint()


kcl.KCLProcess(RecordProcessor()).run()
