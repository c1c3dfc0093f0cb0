//! Keeps one node as the controller wants it, over P4Runtime, and goes on with what it has when nobody wants anything.
