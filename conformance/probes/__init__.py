"""Requests generated from the service models, with what the models say of each. Start at `generate.probes` and `run.run`."""
