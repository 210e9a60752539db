"""A record processor for amazon_kclpy, which stays as it is. It writes orders to the file that it is told."""
import sys

from amazon_kclpy import kcl
from amazon_kclpy.v3 import processor


class Orders(processor.RecordProcessorBase):
    def initialize(self, initialize_input):
        self.file = open(sys.argv[1], 'a', encoding='utf-8')

    def process_records(self, process_records_input):
        for record in process_records_input.records:
            self.file.write(record.binary_data.decode() + '\n')
        self.file.flush()
        process_records_input.checkpointer.checkpoint()

    def lease_lost(self, lease_lost_input):
        self.file.close()

    def shard_ended(self, shard_ended_input):
        shard_ended_input.checkpointer.checkpoint()

    def shutdown_requested(self, shutdown_requested_input):
        shutdown_requested_input.checkpointer.checkpoint()


kcl.KCLProcess(Orders()).run()
