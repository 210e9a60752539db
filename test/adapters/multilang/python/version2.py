import ledger
from amazon_kclpy import kcl
from amazon_kclpy.v2 import processor


class RecordProcessor(processor.RecordProcessorBase):
    def initialize(self, initialize_input):
        self.shard_id = initialize_input.shard_id
        ledger.note(shardId=self.shard_id, told='initialize', at=initialize_input.sequence_number)

    def process_records(self, process_records_input):
        ledger.note_records(self.shard_id, process_records_input.records)
        last = process_records_input.records[-1]
        process_records_input.checkpointer.checkpoint(last.sequence_number, last.sub_sequence_number)

    def shutdown(self, shutdown_input):
        try:
            shutdown_input.checkpointer.checkpoint()
            ledger.note(shardId=self.shard_id, told='shutdown ' + shutdown_input.reason)
        except kcl.CheckpointError as error:
            ledger.note(shardId=self.shard_id, told='shutdown ' + shutdown_input.reason, refused=error.value)

    def shutdown_requested(self, shutdown_requested_input):
        ledger.note(shardId=self.shard_id, told='shutdownRequested')
        shutdown_requested_input.checkpointer.checkpoint()


kcl.KCLProcess(RecordProcessor()).run()
