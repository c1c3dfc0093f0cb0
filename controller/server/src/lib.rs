//! The controller: one leads, serves `guideway.v1.LBControlPlane` from a registry, and tells agents what to forward.
