//! Probes backends, liveness apart from readiness, and reports what it saw to the controller.
