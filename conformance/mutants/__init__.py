"""Wrong servers, made of the right one by a proxy, to prove that the probes can fail. See docs/conformance.md."""
