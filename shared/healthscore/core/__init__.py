"""The pure core: values and rules; no AWS, no clock, no environment, no I/O."""
