import ledger
from amazon_kclpy import kcl


class RecordProcessor(kcl.RecordProcessorBase):
    def initialize(self, shard_id):
        self.shard_id = shard_id
        ledger.note(shardId=shard_id, told='initialize')

    def process_records(self, records, checkpointer):
        ledger.note_records(self.shard_id, records)
        checkpointer.checkpoint()

    def shutdown(self, checkpointer, reason):
        try:
            checkpointer.checkpoint()
            ledger.note(shardId=self.shard_id, told='shutdown ' + reason)
        except kcl.CheckpointError as error:
            ledger.note(shardId=self.shard_id, told='shutdown ' + reason, refused=error.value)

    def shutdown_requested(self, checkpointer):
        ledger.note(shardId=self.shard_id, told='shutdownRequested')
        checkpointer.checkpoint()


kcl.KCLProcess(RecordProcessor()).run()
