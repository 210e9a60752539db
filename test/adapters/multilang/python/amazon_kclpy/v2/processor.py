"""The base class of processors of version 2."""


class RecordProcessorBase:
    version = 2

    def initialize(self, initialize_input):
        raise NotImplementedError

    def process_records(self, process_records_input):
        raise NotImplementedError

    def shutdown(self, shutdown_input):
        raise NotImplementedError

    def shutdown_requested(self, shutdown_requested_input):
        pass
