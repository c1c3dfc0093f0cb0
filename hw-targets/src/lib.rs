//! Targets as data: what a chip or kernel provides, its limits, its recipes.
