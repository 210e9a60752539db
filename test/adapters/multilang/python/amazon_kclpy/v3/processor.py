"""The base class of processors of version 3."""


class RecordProcessorBase:
    version = 3

    def initialize(self, initialize_input):
        raise NotImplementedError

    def process_records(self, process_records_input):
        raise NotImplementedError

    def lease_lost(self, lease_lost_input):
        raise NotImplementedError

    def shard_ended(self, shard_ended_input):
        raise NotImplementedError

    def shutdown_requested(self, shutdown_requested_input):
        pass
